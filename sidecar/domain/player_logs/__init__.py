"""The logs of music players: how they are read, and which plays they are."""
