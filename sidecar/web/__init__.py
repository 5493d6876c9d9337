"""The pages, the API and the live connection."""

from __future__ import annotations
