"""A search by several processes or machines."""
