"""Tells people outside the page what they want to know: batched, once, not in quiet hours."""
