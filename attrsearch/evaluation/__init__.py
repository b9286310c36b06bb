"""Evaluation: what protection does and keeps, and the thesis's tables on any material."""
