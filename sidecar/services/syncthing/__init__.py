"""What Syncthing carries further, and what has arrived."""
