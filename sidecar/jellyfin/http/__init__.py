"""Requests to Jellyfin and its responses, with limits on memory and on waiting."""
