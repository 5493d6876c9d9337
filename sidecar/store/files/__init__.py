"""The finished files on the devices, as lists and by full-text search."""
