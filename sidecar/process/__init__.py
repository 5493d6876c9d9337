"""The process itself: its threads, log, memory, private files, and its limits."""
