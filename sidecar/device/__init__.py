"""The file system of a device: the only code that writes, renames and deletes there."""

from __future__ import annotations
