"""``attrsearch studio``: drop a clip, see who is in it, decide, compare, take the result away."""
