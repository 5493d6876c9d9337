from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sidecar.demo.protocol.formats import add_dashes, format_date, guid_of, parse_date, parse_id


@pytest.mark.parametrize(
    ("microsecond", "expected"),
    [(0, "0000000"), (838419, "838419"), (690000, "69"), (400, "0004000"), (123000, "123")],
)
def test_a_date_has_seven_digits_only_without_milliseconds(microsecond: int, expected: str) -> None:
    told = format_date(datetime(2026, 11, 1, 10, 0, 0, microsecond, tzinfo=UTC))

    assert told == f"2026-11-01T10:00:00.{expected}Z"


def test_never_is_the_year_one() -> None:
    assert format_date(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.0000000Z"


def test_a_date_is_told_in_utc() -> None:
    summer = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))

    assert format_date(summer) == "2026-07-01T10:00:00.0000000Z"


def test_a_date_without_an_offset_is_utc() -> None:
    assert parse_date("2026-01-02T03:04:05") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert parse_date("2026-01-02T03:04:05.1234567Z").microsecond == 123456


def test_an_id_is_the_md5_of_utf_16_in_the_order_of_dotnet() -> None:
    # The id of the scan task, which every Jellyfin has.
    task = "Emby.Server.Implementations.ScheduledTasks.Tasks.RefreshMediaLibraryTask"

    assert guid_of(task) == "7738148ffcd07979c7ceb148e06b3aed"


def test_ids_come_with_dashes_and_without() -> None:
    plain = "399ff486acfe493e6d082af3c275330f"

    assert add_dashes(plain) == "399ff486-acfe-493e-6d08-2af3c275330f"
    assert parse_id(add_dashes(plain).upper()) == plain
    assert parse_id("playlistItem0") is None
