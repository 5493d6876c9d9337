"""Engines that move the bytes of one file into one part file."""

from __future__ import annotations
