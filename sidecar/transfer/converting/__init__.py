"""Converts fetched music to smaller files with a local ffmpeg."""
