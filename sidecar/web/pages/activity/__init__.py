"""The activity page: what happened to files, what was played, and charts."""
