"""Reads what other programs wrote on a device, within limits."""
