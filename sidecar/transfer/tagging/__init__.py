"""Reads and writes tags and covers in files, with mutagen in a child process with limits."""
