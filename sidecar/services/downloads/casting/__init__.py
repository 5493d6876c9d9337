"""Shows devices as cast targets in Jellyfin clients, and pins what people cast to them."""
