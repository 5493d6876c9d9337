"""Decisions on Syncthing's answers: which peers to wait for, which folders to ignore."""
