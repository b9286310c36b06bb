"""Attribute sets of an export onto pictures and videos."""
