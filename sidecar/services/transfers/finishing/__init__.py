"""Makes a whole part file the final file: in its format, with its tags and its name."""
