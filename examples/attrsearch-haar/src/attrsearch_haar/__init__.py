"""Plug-ins for attrsearch: a Haar detector and an objective term."""
