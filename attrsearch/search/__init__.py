"""Searching: the space, the evaluator, the objective, one study a person, and many people at once."""
