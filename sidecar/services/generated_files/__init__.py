"""What we write beside the media: playlists, covers, lyrics, the index page, the manifest."""
