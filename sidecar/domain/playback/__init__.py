"""Sessions, plays, and what counts as one."""
