"""The Syncthing of this machine: what it carries where, and what has arrived."""

from __future__ import annotations
