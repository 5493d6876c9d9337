"""Numbers as people read them: sizes, speeds, times. Pure; the browser's `words.js` says the same.

Sizes count in thousands (MB), as shops and file managers do.
"""

from __future__ import annotations

from datetime import datetime

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
STEP = 1000
MINUTE, HOUR, DAY = 60, 3600, 86400


def size(octets: float) -> str:
    """Return an amount of bytes: `0 B`, `482 kB`, `3.4 MB`, `12 GB`."""
    amount, unit = float(max(octets, 0)), 0
    while round(amount, 1) >= STEP and unit < len(UNITS) - 1:
        amount /= STEP
        unit += 1
    precise = unit > 1 and round(amount, 1) < 10  # noqa: PLR2004 - one digit before the point
    return f"{amount:.1f} {UNITS[unit]}" if precise else f"{amount:.0f} {UNITS[unit]}"


def speed(octets_per_s: float) -> str:
    """Return a speed."""
    return f"{size(octets_per_s)}/s"


def seconds(amount: float) -> str:
    """Return a length of time, roughly: `40 s`, `3 min`, `2 h 10 min`, `3 days`."""
    whole = max(1, round(amount))
    if whole < 2 * MINUTE:
        return f"{whole} s"
    if whole < 2 * HOUR:
        return f"{round(whole / MINUTE)} min"
    if whole < 2 * DAY:
        hours, minutes = divmod(round(whole / MINUTE), 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(whole / DAY)} days"


def ago(at: datetime, now: datetime) -> str:
    """Return when something was."""
    passed = (now - at).total_seconds()
    return "just now" if passed < MINUTE else f"{seconds(passed)} ago"


def ahead(at: datetime, now: datetime) -> str:
    """Return when something will be."""
    left = (at - now).total_seconds()
    return "now" if left < 1 else f"in {seconds(left)}"


def percent(progress: float) -> int:
    """Return whole percents; 100 is said only of what is whole."""
    return 100 if progress >= 1 else min(99, int(progress * 100))
