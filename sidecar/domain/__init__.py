"""The decisions as pure functions: values in, decisions with reasons out. No I/O, no clock."""

from __future__ import annotations
