"""Tracks what each account plays now, and shows what was played before."""
