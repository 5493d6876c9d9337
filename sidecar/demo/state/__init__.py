"""What the demo remembers: users, sessions, plays."""
