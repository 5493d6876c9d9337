"""The files on the devices: search, presence, playing from there."""
