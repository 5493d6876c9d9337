"""Decides what may be fetched now: everything, or only what people asked for themselves.

    paused by a person ─┐
    quiet hours ────────┼──▶ only what people asked for
    line, use ──────────┘

A connection that may be metered or not counts as unmetered, and the verdict says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from sidecar.messages import msg

_SPAN = re.compile(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)")


class Use(StrEnum):
    """Which connections automatic downloads may use; `wifi` includes a wired one."""

    ANY = "any"
    UNMETERED = "unmetered"
    WIFI = "wifi"


class LineKind(StrEnum):
    """The kind of a network connection."""

    WIFI = "wifi"
    WIRED = "wired"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """The network connection, as far as known.

    Attributes:
        is_metered: None if unknown.
    """

    kind: LineKind = LineKind.UNKNOWN
    is_metered: bool | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A time span of the day; past midnight if the end is not after the start."""

    start: time
    end: time

    def __str__(self) -> str:
        """Return it as it is written: "22:00-06:30"."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    @classmethod
    def read(cls, text: str) -> Span:
        """Parse a span such as "22:00-06:30".

        Raises:
            ValueError: It has another form, or is empty.
        """
        found = _SPAN.fullmatch(text.strip())
        if found is None:
            raise ValueError('must be two times such as "22:00-06:30"')
        first, first_minute, last, last_minute = map(int, found.groups())
        span = cls(time(first, first_minute), time(last, last_minute))
        if span.start == span.end:
            raise ValueError("must begin and end at different times")
        return span

    def covers(self, moment: time) -> bool:
        """Whether a time of day is in the span, its end excluded."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True, slots=True)
class NetworkVerdict:
    """What may be fetched now.

    Attributes:
        own_only: Only what people asked for themselves.
        text: The reason, or what is uncertain; None if there is neither.
        until: When that will change by itself; None if unknown.
    """

    own_only: bool = False
    text: str | None = None
    until: datetime | None = None


ALL = NetworkVerdict()
UNCERTAIN = NetworkVerdict(
    text=msg("Nobody can tell what the network costs: it counts as unmetered")
)


def judge(
    use: Use,
    line: Line,
    quiet: Sequence[Span],
    *,
    now: datetime,
    zone: tzinfo,
    is_paused: bool = False,
) -> NetworkVerdict:
    """Decide what may be fetched now.

    Args:
        use: The setting.
        line: The connection.
        quiet: Hours in which nothing is fetched automatically.
        now: The moment, aware.
        zone: The time zone of these hours.
        is_paused: A person has paused automatic downloads.
    """
    if is_paused:
        text = msg("Automatic downloads are paused: only what people choose is downloaded")
        return NetworkVerdict(own_only=True, text=text)
    until = find_quiet_end(quiet, now, zone)
    if until is not None:
        at = until.astimezone(zone)
        text = msg(
            "Quiet hours until {at}: until then only what people choose is downloaded",
            at=f"{at:%H:%M}",
        )
        return NetworkVerdict(own_only=True, text=text, until=until)
    return _judge_line(use, line)


def find_quiet_end(spans: Iterable[Span], now: datetime, zone: tzinfo) -> datetime | None:
    """Return when the current quiet hours end, in UTC; None outside them."""
    spans = tuple(spans)
    moment = now.astimezone(UTC)
    end = None
    # Spans that overlap or adjoin are one quiet time.
    for _ in range(len(spans) + 1):
        local = moment.astimezone(zone)
        ends = [_end(one, local, zone) for one in spans if one.covers(local.time())]
        if not ends:
            return end
        end = moment = max(ends)
    return end


def _end(span: Span, local: datetime, zone: tzinfo) -> datetime:
    day = local.date()
    if span.end <= local.time():
        day += timedelta(days=1)
    return datetime.combine(day, span.end, tzinfo=zone).astimezone(UTC)


def _judge_line(use: Use, line: Line) -> NetworkVerdict:
    if use is Use.ANY:
        return ALL
    wait = msg("only what people choose is downloaded until another network is there")
    if line.is_metered:
        return NetworkVerdict(own_only=True, text=msg("The network is metered: {wait}", wait=wait))
    if use is Use.WIFI and line.kind is LineKind.OTHER:
        return NetworkVerdict(
            own_only=True, text=msg("The network is neither Wi-Fi nor a cable: {wait}", wait=wait)
        )
    if line.is_metered is None and line.kind in {LineKind.UNKNOWN, LineKind.OTHER}:
        return UNCERTAIN
    return ALL
