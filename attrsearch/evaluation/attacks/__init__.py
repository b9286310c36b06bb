"""Attacks on protected faces, by people who know more and more.

Nothing, the tool, the whole exported file.
"""
