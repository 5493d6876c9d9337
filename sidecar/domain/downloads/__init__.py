"""A download's states, and what people may do in each."""
