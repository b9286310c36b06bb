"""Faces: load pictures, detect, align, recognise, read traits, and gather a person's pictures."""
