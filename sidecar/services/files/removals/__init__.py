"""Detects files that people removed or changed on a device, asks if unsure, and records it."""
