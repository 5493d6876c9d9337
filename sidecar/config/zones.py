"""Loads the time zone for settings that are times of day."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

LOCAL = Path("/etc/localtime")


def load_zone(name: str | None, *, local: Path = LOCAL) -> tzinfo:
    """Return the zone of this name; for None, the machine's time zone, or UTC if it has none."""
    if name is not None:
        return ZoneInfo(name)
    with suppress(OSError, ValueError):
        return ZoneInfo(os.environ["TZ"]) if os.environ.get("TZ") else _from(local)
    return UTC


def _from(file: Path) -> tzinfo:
    with file.open("rb") as rules:
        return ZoneInfo.from_file(rules)
