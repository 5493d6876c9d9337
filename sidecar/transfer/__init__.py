"""Fetches, copies, converts, tags and checks single files; knows no queue and no database."""

from __future__ import annotations
