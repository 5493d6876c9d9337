"""Plays, favourites and playlists become wishes, wishes become holds and downloads."""
