"""Plug-ins for attrsearch: licence plates, and whatever an SSD network finds."""
