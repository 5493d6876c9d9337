"""Saved filters, and what is asked before one that matches far less removes anything."""
