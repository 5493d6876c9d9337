"""Converts fetched music to smaller files, and films for players, with a local ffmpeg."""
