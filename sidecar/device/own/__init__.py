"""What is ours on a device: marker, parts, manifest, list of our files and folders."""
