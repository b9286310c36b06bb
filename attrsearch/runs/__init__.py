"""The run directory: its files, their checksums, and what checks, merges, scrubs and exports it."""
