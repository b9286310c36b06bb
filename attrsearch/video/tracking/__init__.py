"""From detections to tracks, and from tracks to people."""
