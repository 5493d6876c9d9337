"""The demo's routes, by subject."""
