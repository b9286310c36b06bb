"""Recipes: TOML files of objectives (what is maximised), spaces (over what) and studies (how)."""
