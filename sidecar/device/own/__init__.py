"""The sidecar's own files on a device: marker, part files, manifest, list of its folders."""
