"""Imports from a device: files and plays."""
