"""The first set-up on the page: which Jellyfin, and who is its admin."""
