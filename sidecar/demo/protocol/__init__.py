"""How a Jellyfin server of each version writes its answers."""
