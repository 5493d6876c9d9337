"""Writes playlists, covers, lyrics, subtitles, the index page and the manifest to devices."""
