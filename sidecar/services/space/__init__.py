"""Keeps each device within its space limits: plans, evictions and their preview."""
