"""The files on the devices: browse, search, check that they exist, play from there."""
