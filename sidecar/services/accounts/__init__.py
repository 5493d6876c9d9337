"""Who may sign in, with which token, and what Jellyfin lets them do."""
