"""Files that vanish from a device: noticed, asked about, recorded."""
