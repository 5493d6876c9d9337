"""Plays, heard and imported."""
