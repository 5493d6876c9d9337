"""Names, playlists, manifests and what lies beside the files."""
