"""Matches files to items whose ids have changed: after a rename, a rescan or a reinstallation."""
