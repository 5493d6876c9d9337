"""What comes back from a device: files, plays."""
