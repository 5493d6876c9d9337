"""Files that were on a device before us, and the way back after a lost database."""
