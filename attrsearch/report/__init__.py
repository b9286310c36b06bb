"""Showing: the report of a run as one page that works offline."""
