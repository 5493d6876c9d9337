"""Jellyfin Sidecar: what you play, kept on the devices you carry."""

from __future__ import annotations

__version__ = "0.1.0"
# What our server calls itself in its answers.
SERVER_NAME = "sidecar"
