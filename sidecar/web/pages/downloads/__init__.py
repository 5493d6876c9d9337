"""The downloads page: its list and its actions."""
