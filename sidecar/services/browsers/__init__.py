"""Browsers as devices: what a person keeps in one, and what comes back from it."""
