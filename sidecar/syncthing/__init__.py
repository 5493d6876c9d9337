"""A client for the Syncthing of this machine: what it shares with whom, and what has arrived."""

from __future__ import annotations
