"""Video: frames in and out, detection memory, tracks, people, rendering, and the ledger of what was covered."""
