"""Video: frames in and out, memory, tracks, people, rendering, and the coverage ledger."""
