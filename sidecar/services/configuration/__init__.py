"""The settings: what the file, the environment and the page say, and changes on the page."""
