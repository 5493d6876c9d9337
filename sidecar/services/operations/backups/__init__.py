"""Backs up the whole state to one file, with or without secrets, and restores it."""
