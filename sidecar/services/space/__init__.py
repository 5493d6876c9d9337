"""Keeping each device within its space: plan, eviction, what goes next."""
