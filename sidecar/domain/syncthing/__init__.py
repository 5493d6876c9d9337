"""Decisions about Syncthing: which peers to wait for, and the line in `.stignore`."""
