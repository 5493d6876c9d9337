"""Follows what Syncthing copies from our devices to others, and what has arrived there."""
