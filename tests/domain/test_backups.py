"""Nightly backups: when the next is due, and which go."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.backups import choose_superfluous, find_next, is_due, make_name, read_name

BERLIN = ZoneInfo("Europe/Berlin")
AT = time(3, 30)
MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - the zone comes with `timezones`
    max_value=datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "made", "expected"),
    [
        ("2026-11-26 12:00", [], True),
        ("2026-11-26 03:29", ["2026-11-25 03:30"], False),
        ("2026-11-26 03:30", ["2026-11-25 03:30"], True),
        ("2026-11-26 03:31", ["2026-11-26 03:30"], False),
        # The machine was off at night.
        ("2026-11-26 09:00", ["2026-11-24 03:30"], True),
        # Made by hand in the evening: the night's is due all the same.
        ("2026-11-26 03:30", ["2026-11-25 22:00"], True),
        # The clock was wrong once.
        ("2026-11-26 09:00", ["2031-01-01 03:30"], True),
        # Clocks are put back from 3:00 to 2:00, and forward from 2:00 to 3:00.
        ("2026-10-25 03:30", ["2026-10-25 02:10"], True),
        ("2026-03-29 03:29", ["2026-03-28 03:31"], False),
    ],
)
def test_one_is_due_after_each_time_of_day(now: str, made: list[str], expected: bool) -> None:
    assert is_due(map(at, made), AT, BERLIN, at(now)) is expected


@given(now=MOMENTS, hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_once_made_the_next_is_due_about_a_day_later(now: datetime, hour: int, minute: int) -> None:
    chosen = time(hour, minute)

    assert not is_due([now], chosen, BERLIN, now)
    assert is_due([now], chosen, BERLIN, now + timedelta(hours=25, minutes=1))


@given(now=MOMENTS)
def test_a_name_says_when(now: datetime) -> None:
    assert read_name("3f2a", make_name("3f2a", now)) == now.replace(microsecond=0)


@pytest.mark.parametrize(
    "name",
    [
        "jellyfin-sidecar-2026-11-26T03-30-00.zip",
        "jellyfin-sidecar-nightly-ffff-2026-11-26T03-30-00.zip",
        "jellyfin-sidecar-nightly-3f2a-2026-11-26.zip",
        "jellyfin-sidecar-nightly-3f2a-2026-11-26T3-30-00.zip",
        "jellyfin-sidecar-nightly-3f2a-2026-11-26T03-30-00.zip.draft",
        "sidecar-2026-11-26.db",
    ],
)
def test_other_files_are_none_of_ours(name: str) -> None:
    assert read_name("3f2a", name) is None


def test_the_oldest_go() -> None:
    one, two, three = at("2026-11-24 03:30"), at("2026-11-25 03:30"), at("2026-11-26 03:30")

    assert choose_superfluous([two, three, one], 2) == [one]
    assert choose_superfluous([two, three, one], 3) == []


@given(MOMENTS)
def test_the_next_one_is_due_at_its_time_and_not_before(now: datetime) -> None:
    next_at = find_next(AT, BERLIN, now)

    assert now < next_at <= now + timedelta(hours=25)
    assert is_due([now], AT, BERLIN, next_at)
    assert not is_due([now], AT, BERLIN, next_at - timedelta(seconds=1))
