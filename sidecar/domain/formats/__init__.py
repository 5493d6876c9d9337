"""Audio formats of devices, and tags."""
