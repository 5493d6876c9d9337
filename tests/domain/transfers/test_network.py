from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.transfers.network import Line, LineKind, Span, Use, find_quiet_end, judge

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Span.read("22:00-06:30")
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
WIFI, CABLE = Line(LineKind.WIFI, is_metered=False), Line(LineKind.WIRED, is_metered=None)
MOBILE, UNKNOWN = Line(LineKind.OTHER, is_metered=True), Line()
CHEAP_MOBILE, HOTSPOT = Line(LineKind.OTHER, is_metered=False), Line(LineKind.WIFI, is_metered=True)


@pytest.mark.parametrize(
    ("use", "line", "own_only"),
    [
        (Use.ANY, MOBILE, False),
        (Use.ANY, UNKNOWN, False),
        (Use.UNMETERED, WIFI, False),
        (Use.UNMETERED, CABLE, False),
        (Use.UNMETERED, MOBILE, True),
        (Use.UNMETERED, HOTSPOT, True),
        (Use.UNMETERED, CHEAP_MOBILE, False),
        (Use.UNMETERED, UNKNOWN, False),
        (Use.WIFI, WIFI, False),
        (Use.WIFI, CABLE, False),
        (Use.WIFI, HOTSPOT, True),
        (Use.WIFI, CHEAP_MOBILE, True),
        (Use.WIFI, UNKNOWN, False),
    ],
)
def test_what_a_line_is_used_for(use: Use, line: Line, own_only: bool) -> None:
    verdict = judge(use, line, (), now=NOON, zone=UTC)

    assert verdict.own_only is own_only
    assert bool(verdict.text) is (own_only or (line is UNKNOWN and use is not Use.ANY))


def test_what_nobody_can_tell_counts_as_unmetered_and_says_so() -> None:
    verdict = judge(Use.UNMETERED, UNKNOWN, (), now=NOON, zone=UTC)

    assert verdict.text == "Nobody can tell what the network costs: it counts as unmetered"


def test_a_pause_comes_before_everything() -> None:
    verdict = judge(Use.ANY, WIFI, [NIGHT], now=NOON, zone=UTC, is_paused=True)

    assert verdict.own_only
    assert verdict.until is None
    assert "paused" in str(verdict.text)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-01T20:59", None),
        ("2026-11-01T21:00", "2026-11-02T05:30"),
        ("2026-11-02T05:29", "2026-11-02T05:30"),
        ("2026-11-02T05:30", None),
        # The night in which the clocks go forward is an hour shorter.
        ("2026-03-28T21:00", "2026-03-29T04:30"),
        # The night in which they go back: 02:30 comes twice, it is quiet both times.
        ("2026-10-25T00:30", "2026-10-25T05:30"),
        ("2026-10-25T01:30", "2026-10-25T05:30"),
    ],
)
def test_the_night_in_berlin(now: str, until: str | None) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    end = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None

    assert find_quiet_end([NIGHT], at, BERLIN) == end


def test_quiet_hours_that_follow_on_one_another_end_once() -> None:
    spans = [Span.read("22:00-24:00".replace("24", "00")), Span.read("00:00-06:00")]
    at = datetime(2026, 11, 1, 23, 0, tzinfo=UTC)

    assert find_quiet_end(spans, at, UTC) == datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


def test_the_sentence_says_the_hour_of_the_zone() -> None:
    night = datetime(2026, 11, 1, 23, 0, tzinfo=UTC)

    verdict = judge(Use.ANY, WIFI, [NIGHT], now=night, zone=BERLIN)

    assert "until 06:30" in str(verdict.text)
    assert verdict.until == datetime(2026, 11, 2, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "22-6", "25:00-06:00", "22:00-22:00", "22:00", "a:b-c:d"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|hour"):
        Span.read(text)


@given(
    start=st.times(),
    end=st.times(),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_quiet_always_ends_and_then_it_is_not_quiet(
    start: object, end: object, at: datetime
) -> None:
    span = Span(start, end)  # type: ignore[arg-type]

    until = find_quiet_end([span], at, BERLIN)

    if start != end and until is not None:
        assert until > at
        assert find_quiet_end([span], until, BERLIN) is None
