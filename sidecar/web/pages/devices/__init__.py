"""The pages of the devices: a device, its settings, plans, imports and matches."""
