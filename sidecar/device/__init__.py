"""The only code that names, renames and deletes on a device."""

from __future__ import annotations
