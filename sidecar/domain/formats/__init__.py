"""Formats of devices, and tags."""
