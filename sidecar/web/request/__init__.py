"""What a request says: bodies, queries, ranges; and how it is refused."""
