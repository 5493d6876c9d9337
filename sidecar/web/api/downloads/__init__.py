"""`/api/v1/downloads`, `/undo` and `/offline`: downloads, actions on them, and files to play."""
