"""Predict what candidates are worth before they are measured."""
