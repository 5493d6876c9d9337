"""A small Jellyfin of our own, for the first run and the tests."""

from __future__ import annotations
