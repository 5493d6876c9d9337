"""Formats sizes, speeds and times in the reader's language, just as the browser's `numbers.js`.

Sizes have decimal units (MB), as on drives, and one decimal from MB on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal, parse_pattern
from babel.units import format_unit

from sidecar.messages import translatable as translatable  # noqa: PLC0414 - for `web`
from sidecar.sizes import UNITS, scale_size

MINUTE, HOUR, DAY = 60, 3600, 86400
# A larger unit is used from two of it on: 90 minutes, but 2 hours.
AT_LEAST = 2.0
# Read once: that takes twice as long as to write a number by it.
WHOLE, ONE_DECIMAL = parse_pattern("#,##0"), parse_pattern("#,##0.0")


def in_english(one: str, many: str, number: int) -> str:
    """Return the English plural form for the number."""
    return one if number == 1 else many


@dataclass(frozen=True, slots=True)
class LocalFormat:
    """Formats sizes and times in one language.

    Attributes:
        locale: The language code.
        sentence: Translates an English sentence.
        counted: Returns the translated plural form for a number.
    """

    locale: str = "en"
    sentence: Callable[[str], str] = translatable
    counted: Callable[[str, str, int], str] = in_english

    def size(self, octets: float) -> str:
        """Return a size: `0 bytes`, `482 kB`, `3.4 MB`, `12.0 GB`."""
        scaled = scale_size(octets)
        if not scaled.unit:
            return self._unit(scaled.amount, "digital-byte", "long")
        # The symbols are the same in all languages; CLDR's German has "1,0 Mbyte", but "1,1 MB".
        pattern = ONE_DECIMAL if scaled.decimals else WHOLE
        number = format_decimal(scaled.amount, pattern, self.locale)
        return f"{number} {UNITS[scaled.unit]}"

    def number(self, amount: int) -> str:
        """Return a whole number: `6,812`."""
        return format_decimal(amount, WHOLE, self.locale)

    def share(self, part: float) -> str:
        """Return a part of a whole: `12.3 %`."""
        return f"{format_decimal(100 * part, ONE_DECIMAL, self.locale)} %"

    def speed(self, octets_per_s: float) -> str:
        """Return a speed in bytes per second: `3.4 MB/s`."""
        return f"{self.size(octets_per_s)}/s"

    def seconds(self, amount: float) -> str:
        """Return a duration, rounded: `40 sec`, `3 min`, `2 hr 10 min`, `3 days`."""
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

    def day(self, day: date) -> str:
        """Return a day of the calendar: `Nov 27, 2026`, `27.11.2026`."""
        return format_date(day, "medium", locale=self.locale)

    def ago(self, at: datetime, now: datetime) -> str:
        """Return how long ago a time was: `3 minutes ago`, `just now`."""
        if (now - at).total_seconds() < MINUTE:
            return self.sentence("just now")
        return self._relative(at, now, "minute")

    def ahead(self, at: datetime, now: datetime) -> str:
        """Return how far ahead a time is: `in 3 minutes`, `now`."""
        if (at - now).total_seconds() < 1:
            return self.sentence("now")
        return self._relative(at, now, "second")

    def _relative(self, at: datetime, now: datetime, least: Literal["minute", "second"]) -> str:
        return format_timedelta(
            at - now, granularity=least, threshold=AT_LEAST, add_direction=True, locale=self.locale
        )

    def _unit(self, amount: float, unit: str, length: Literal["short", "long"] = "short") -> str:
        said = format_unit(amount, unit, length, format="#,##0", locale=self.locale)
        return said.replace("\xa0", " ")  # CLDR has it in some units and not in others


def percent(progress: float) -> int:
    """Return a fraction as whole percent, rounded down; 100 only for a complete download."""
    return 100 if progress >= 1 else min(99, int(progress * 100))


def clock(seconds: float) -> str:
    """Return a position in a track as players show it: `3:05`, `1:02:03`."""
    minutes, rest = divmod(int(max(seconds, 0)), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _round(amount: float) -> int:
    """Round half up, as the browser does."""
    return int(amount + 0.5)
