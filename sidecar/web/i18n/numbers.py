"""Numbers as people read them: sizes, speeds, times. The browser's `numbers.js` says the same.

Sizes count in thousands (MB), as drives are labelled, with one decimal from MB on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from babel.dates import format_timedelta
from babel.numbers import format_decimal
from babel.units import format_unit

from sidecar.messages import translatable as translatable  # noqa: PLC0414 - for `web`
from sidecar.sizes import UNITS, scale_size

MINUTE, HOUR, DAY = 60, 3600, 86400
# A time is told in the larger unit once there are two of it: 90 minutes, 2 hours.
AT_LEAST = 2.0


def in_english(one: str, many: str, number: int) -> str:
    """Return the form that fits the number."""
    return one if number == 1 else many


@dataclass(frozen=True, slots=True)
class LocalFormat:
    """Formats sizes and times in one language.

    Attributes:
        locale: The language.
        sentence: Translates an English sentence.
        counted: Translates the form of a sentence that fits a number.
    """

    locale: str = "en"
    sentence: Callable[[str], str] = translatable
    counted: Callable[[str, str, int], str] = in_english

    def size(self, octets: float) -> str:
        """Return an amount of bytes: `0 bytes`, `482 kB`, `3.4 MB`, `12.0 GB`."""
        scaled = scale_size(octets)
        if not scaled.unit:
            return self._unit(scaled.amount, "digital-byte", "long")
        # Symbols are the same everywhere; CLDR's German says "1,0 Mbyte", but "1,1 MB".
        pattern = "#,##0.0" if scaled.decimals else "#,##0"
        number = format_decimal(scaled.amount, pattern, self.locale)
        return f"{number} {UNITS[scaled.unit]}"

    def speed(self, octets_per_s: float) -> str:
        """Return a speed."""
        return f"{self.size(octets_per_s)}/s"

    def seconds(self, amount: float) -> str:
        """Return a length of time, roughly: `40 sec`, `3 min`, `2 hr 10 min`, `3 days`."""
        whole = max(1, _round(amount))
        if whole < AT_LEAST * MINUTE:
            return self._unit(whole, "duration-second")
        if whole < AT_LEAST * HOUR:
            return self._unit(_round(whole / MINUTE), "duration-minute")
        if whole < AT_LEAST * DAY:
            hours, minutes = divmod(_round(whole / MINUTE), 60)
            said = self._unit(hours, "duration-hour")
            return f"{said} {self._unit(minutes, 'duration-minute')}" if minutes else said
        return self._unit(_round(whole / DAY), "duration-day", "long")

    def ago(self, at: datetime, now: datetime) -> str:
        """Return when something was."""
        if (now - at).total_seconds() < MINUTE:
            return self.sentence("just now")
        return self._relative(at, now, "minute")

    def ahead(self, at: datetime, now: datetime) -> str:
        """Return when something will be."""
        if (at - now).total_seconds() < 1:
            return self.sentence("now")
        return self._relative(at, now, "second")

    def _relative(self, at: datetime, now: datetime, least: Literal["minute", "second"]) -> str:
        return format_timedelta(
            at - now, granularity=least, threshold=AT_LEAST, add_direction=True, locale=self.locale
        )

    def _unit(self, amount: float, unit: str, length: Literal["short", "long"] = "short") -> str:
        said = format_unit(amount, unit, length, format="#,##0", locale=self.locale)
        return said.replace("\xa0", " ")  # CLDR has it in some forms of a unit, not in others


def percent(progress: float) -> int:
    """Return whole percents; 100 is said only of what is whole."""
    return 100 if progress >= 1 else min(99, int(progress * 100))


def clock(seconds: float) -> str:
    """Return a place in a track as players show it: `3:05`, `1:02:03`."""
    minutes, rest = divmod(int(max(seconds, 0)), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _round(amount: float) -> int:
    """Round halves up, as the browser does."""
    return int(amount + 0.5)
