"""Attacks on protected faces, by people who know more and more: nothing, the tool, the whole exported file."""
