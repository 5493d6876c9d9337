"""Devices and their settings."""
