"""`/api/v1/items`, `/selections`, `/jellyfin-web`, and `/media`: what Jellyfin has."""
