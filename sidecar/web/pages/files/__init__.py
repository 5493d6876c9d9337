"""The pages of the files on the devices: their lists, and how these are asked for."""
