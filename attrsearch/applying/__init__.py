"""Applying: attribute sets of an export onto pictures."""
