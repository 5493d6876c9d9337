"""Access to devices, and the limit on attempts to sign in."""
