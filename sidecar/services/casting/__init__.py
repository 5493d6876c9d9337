"""A device as a cast target in every Jellyfin client."""
