"""Frames in and out, and files of labelled boxes."""
