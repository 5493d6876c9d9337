"""The Jellyfin library as people look through it."""
