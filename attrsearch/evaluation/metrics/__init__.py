"""What is measured of originals and protected pictures."""
