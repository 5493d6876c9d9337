"""Items of a library: what they are, their kinds, their media types, the order of their names."""
