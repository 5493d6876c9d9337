"""Signing in and out, a person's profile, and what a browser chooses: language and theme."""
