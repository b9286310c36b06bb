"""``attrsearch dashboard``: a run live, decisions about it, and its export to Optuna."""
