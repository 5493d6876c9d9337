"""What lies on the devices, as lists and as a search index."""
