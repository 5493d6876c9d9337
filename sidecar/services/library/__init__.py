"""Browsing the Jellyfin library, with covers and the download state of each item."""
