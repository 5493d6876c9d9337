"""What state everything is in: problems, notices about them, how Jellyfin and the system are."""
