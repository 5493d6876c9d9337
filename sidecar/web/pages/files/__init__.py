"""The pages of the files on the devices: their lists and actions."""
