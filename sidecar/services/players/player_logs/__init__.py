"""Imports plays from the logs of music players."""
