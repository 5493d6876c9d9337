"""Paths on the device, playlists, manifests, companions, and what became of missing files."""
