"""Which downloads are transferred now, by which account, and how fast."""
