"""Runs the rules: plays, favourites and playlists become wishes, then holds and downloads."""
