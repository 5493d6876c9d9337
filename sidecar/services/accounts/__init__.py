"""Accounts: sign-in, sessions, API keys, and what each account may see and do."""
