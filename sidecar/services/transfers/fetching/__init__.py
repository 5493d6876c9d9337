"""Fetches a download into its part file: from the server, or from another device that has it."""
