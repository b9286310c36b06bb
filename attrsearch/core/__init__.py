"""Values, files, recipes, weights and processes: what knows no face."""
