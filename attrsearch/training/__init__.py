"""Training: prepared faces, the attribute classifier, the editor, and the critic of naturalness."""
