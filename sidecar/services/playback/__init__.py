"""What plays and what was played."""
