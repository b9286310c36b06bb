"""Editing: the AttGAN generator, its checkpoints, filters, and blending the edit into a picture."""
