"""A download's states, and the actions that are possible in each."""
