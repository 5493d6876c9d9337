"""Budgets, plans and evictions."""
