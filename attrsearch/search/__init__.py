"""Searching: the space, the evaluator, the objective, one study a person, many people at once."""
