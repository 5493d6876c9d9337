"""Playlists that people made or changed on a device, taken home to Jellyfin."""
