"""The library part of the API: lists, files, play state."""
