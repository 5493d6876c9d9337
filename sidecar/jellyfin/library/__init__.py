"""What the server says about items: lists, files, play state."""
