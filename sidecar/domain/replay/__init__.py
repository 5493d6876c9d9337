"""Runs a history of plays through rules, plan and eviction, to see which would have served it."""
