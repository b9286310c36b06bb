"""The thesis's tables and figures, measured anew.

One module a table or a family of them, one registry of names.
"""
