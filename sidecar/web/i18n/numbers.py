"""Numbers as people read them: sizes, speeds, times. Pure; the browser's `words.js` says the same.

Sizes count in thousands (MB), as shops and file managers do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.translatable import translatable as translatable  # noqa: PLC0414 - for `web`

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
STEP = 1000
MINUTE, HOUR, DAY = 60, 3600, 86400


def in_english(one: str, many: str, number: int) -> str:
    """Return the form that fits the number."""
    return one if number == 1 else many


@dataclass(frozen=True, slots=True)
class LocalFormat:
    """How numbers are said in one language.

    Attributes:
        sentence: Gives the sentence, from the English one.
        counted: Gives the sentence for a number, from its two English forms.
        point: What stands before the decimals.
    """

    sentence: Callable[[str], str] = translatable
    counted: Callable[[str, str, int], str] = in_english
    point: str = "."

    def size(self, octets: float) -> str:
        """Return an amount of bytes: `0 B`, `482 kB`, `3.4 MB`, `12 GB`."""
        amount, unit = float(max(octets, 0)), 0
        while round(amount, 1) >= STEP and unit < len(UNITS) - 1:
            amount /= STEP
            unit += 1
        precise = unit > 1 and round(amount, 1) < 10  # noqa: PLR2004 - one digit before the point
        said = f"{amount:.1f}".replace(".", self.point) if precise else f"{amount:.0f}"
        return f"{said} {UNITS[unit]}"

    def speed(self, octets_per_s: float) -> str:
        """Return a speed."""
        return f"{self.size(octets_per_s)}/s"

    def seconds(self, amount: float) -> str:
        """Return a length of time, roughly: `40 s`, `3 min`, `2 h 10 min`, `3 days`."""
        whole = max(1, round(amount))
        if whole < 2 * MINUTE:
            return f"{whole} s"
        if whole < 2 * HOUR:
            return f"{round(whole / MINUTE)} min"
        if whole < 2 * DAY:
            hours, minutes = divmod(round(whole / MINUTE), 60)
            return f"{hours} h {minutes} min" if minutes else f"{hours} h"
        return self._numbered("%(number)s day", "%(number)s days", round(whole / DAY))

    def ago(self, at: datetime, now: datetime) -> str:
        """Return when something was."""
        passed = (now - at).total_seconds()
        if passed < MINUTE:
            return self.sentence("just now")
        if passed < 2 * DAY:
            return self.sentence("%(time)s ago") % {"time": self.seconds(passed)}
        return self._numbered("%(number)s day ago", "%(number)s days ago", round(passed / DAY))

    def ahead(self, at: datetime, now: datetime) -> str:
        """Return when something will be."""
        left = (at - now).total_seconds()
        if left < 1:
            return self.sentence("now")
        if left < 2 * DAY:
            return self.sentence("in %(time)s") % {"time": self.seconds(left)}
        return self._numbered("in %(number)s day", "in %(number)s days", round(left / DAY))

    def _numbered(self, one: str, many: str, number: int) -> str:
        return self.counted(one, many, number) % {"number": number}


def percent(progress: float) -> int:
    """Return whole percents; 100 is said only of what is whole."""
    return 100 if progress >= 1 else min(99, int(progress * 100))


def clock(seconds: float) -> str:
    """Return a place in a track as players show it: `3:05`, `1:02:03`."""
    minutes, rest = divmod(int(max(seconds, 0)), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
