"""What plays now, plays, and how much was really heard."""
