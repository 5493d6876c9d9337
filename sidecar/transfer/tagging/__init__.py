"""Tags and covers in files: read and written by mutagen, in a child process with limits."""
