"""Which files have arrived on which other devices."""
