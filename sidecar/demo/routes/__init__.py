"""What the demo answers, by address."""
