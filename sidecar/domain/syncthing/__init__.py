"""What Syncthing's answers mean."""
