"""Accounts, sessions, keys."""
