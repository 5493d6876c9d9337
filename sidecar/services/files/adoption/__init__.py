"""Adopts files that are on a device already, and restores downloads after a lost database."""
