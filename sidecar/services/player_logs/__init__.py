"""Plays that a music player noted, brought home."""
