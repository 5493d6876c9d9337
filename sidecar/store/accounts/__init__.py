"""Accounts, web sessions, API keys."""
