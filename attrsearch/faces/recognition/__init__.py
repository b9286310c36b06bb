"""Face recognisers and their calibration."""
