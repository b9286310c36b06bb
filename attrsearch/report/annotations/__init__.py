"""Annotations: faces with person ids, in the formats of annotation tools and of MOT."""
