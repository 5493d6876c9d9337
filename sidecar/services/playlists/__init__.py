"""Playlists on the devices: learned where the rule lists them, written as M3U files."""

from __future__ import annotations
