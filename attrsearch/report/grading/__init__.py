"""Grading: a person says how edits look, and a small network learns it from the attributes."""
