"""What happened: files that came and went, plays and charts, as far as each person may see it."""
