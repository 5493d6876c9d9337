"""The web application: pages, API and live connection."""

from __future__ import annotations
