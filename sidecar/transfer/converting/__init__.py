"""Smaller files for a device: a local ffmpeg makes them of what was fetched."""
