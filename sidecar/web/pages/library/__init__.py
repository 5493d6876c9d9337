"""The pages of the Jellyfin library: browsing, searching, favourites and download buttons."""
