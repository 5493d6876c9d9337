"""People: which devices they may see and manage, how often they may try to sign in."""
