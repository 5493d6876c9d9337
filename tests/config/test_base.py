from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from sidecar.config.base import Duration, Room, Speed, format_duration
from sidecar.config.settings import ZoneName

TIME: TypeAdapter[timedelta] = TypeAdapter(Duration)
ROOM: TypeAdapter[int] = TypeAdapter(Room)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=24), "1 day"),
        (timedelta(days=7), "1 week"),
        (timedelta(days=30), "30 days"),
        (timedelta(seconds=0.5), "0.5 seconds"),
    ],
)
def test_a_time_is_told_as_it_is_written(span: timedelta, words: str) -> None:
    assert format_duration(span) == words
    assert TIME.validate_python(words) == span


@pytest.mark.parametrize(
    "text", ["nan days", "inf days", "-1 days", "1e300 weeks", "4000 days", ""]
)
def test_a_time_that_cannot_be_counted_with_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TIME.validate_python(text)


@pytest.mark.parametrize(
    ("text", "hours"), [("1,5 hours", 1.5), ("1\u00a0hour", 1.0), (" 2  hours ", 2.0)]
)
def test_a_time_is_read_as_people_type_it(text: str, hours: float) -> None:
    assert TIME.validate_python(text) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("10 GB", 10_000_000_000),
        ("10GB", 10_000_000_000),
        ("10 G", 10_000_000_000),
        ("10 gb", 10_000_000_000),
        ("10 GiB", 10 * 1024**3),
        ("10GiB", 10 * 1024**3),
        ("1.5 GB", 1_500_000_000),
        ("1,5 GB", 1_500_000_000),
        ("1,25 TB", 1_250_000_000_000),
        ("0.5 GB", 500_000_000),
        ("10\u00a0GB", 10_000_000_000),
        ("10\u202f000\u00a0MB", 10_000_000_000),
        ("10 000 MB", 10_000_000_000),
        ("10_000 MB", 10_000_000_000),
        ("\uff11\uff10 GB", 10_000_000_000),
        (" 64 GB ", 64_000_000_000),
        ("500000", 500_000),
        ("500 bytes", 500),
        (10_000_000_000, 10_000_000_000),
        (1e10, 10_000_000_000),
        ("0", 0),
    ],
)
def test_a_size_is_read_as_people_type_it(written: object, size: int) -> None:
    assert ROOM.validate_python(written) == size


@pytest.mark.parametrize(
    "written",
    [
        *("50%", "50 %", "1,500 GB", "1.500,5 GB", "1.5.2 GB", "10 GB free", "-5 GB", "ten GB"),
        *("GB", "", " ", "1e3 GB", "10 XB", "10 Gig", "1 0 GB", "0x10 GB", "10 MB/s", "5;GB"),
        *(1.5, True, float("inf"), float("nan"), "99999999999 TB", [], None),
    ],
)
def test_a_size_that_reads_only_in_part_is_refused_and_the_right_form_is_shown(
    written: object,
) -> None:
    with pytest.raises(ValidationError) as refused:
        ROOM.validate_python(written)

    if isinstance(written, str) and "TB" not in written:
        assert '"10 GB"' in str(refused.value)


def test_a_speed_may_say_that_it_is_one() -> None:
    speed: TypeAdapter[int] = TypeAdapter(Speed)

    assert speed.validate_python("2,5 MB/s") == speed.validate_python("2500 KB") == 2_500_000
    with pytest.raises(ValidationError, match='"2 MB"'):
        speed.validate_python("10%")


@pytest.mark.parametrize("name", ["Tone", "Europe", "../etc/passwd", "Europe/Berlin\0", ""])
def test_a_time_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        TypeAdapter(ZoneName).validate_python(name)
