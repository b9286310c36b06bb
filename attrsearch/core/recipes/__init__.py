"""Recipes: TOML files that say what is maximised (objectives), over what (spaces) and how (studies)."""
