"""Short messages in the Jellyfin clients in which people have just done something."""
