"""Browsers as devices: what a person keeps in one, and the plays that come back from it."""
