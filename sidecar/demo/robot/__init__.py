"""A listener who plays by itself."""
