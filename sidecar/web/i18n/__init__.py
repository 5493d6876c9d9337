"""Internationalisation: translated texts, labels, and formats of sizes and times."""
