"""What comes back from a player: its logs, positions, ratings, and the playlists made there."""
