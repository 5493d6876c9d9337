from __future__ import annotations

import os
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest

from sidecar.demo.protocol.ranges import (
    FileRange,
    FileSnapshot,
    content_type,
    disposition,
    select_range,
    stat_file,
)

MODIFIED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SAME = "Sun, 01 Mar 2026 12:00:00 GMT"
OLDER = "Sun, 01 Mar 2026 11:59:59 GMT"
NEWER = "Sun, 01 Mar 2026 12:00:01 GMT"
FUTURE = "Fri, 01 Jan 2100 00:00:00 GMT"
SIGHT = FileSnapshot(100, MODIFIED)
WHOLE = FileRange(HTTPStatus.OK, 0, 100)
TEN = FileRange(HTTPStatus.PARTIAL_CONTENT, 10, 10, "bytes 10-19/100")


def answer(asked: str, sight: FileSnapshot = SIGHT, /, **conditions: str) -> FileRange:
    named = {name.replace("_", "-"): value for name, value in conditions.items()}
    return select_range(sight, (named | {"Range": asked}).get)


@pytest.mark.parametrize(
    ("asked", "start", "length"),
    [
        ("bytes=10-19", 10, 10),
        ("bytes = 10 - 19", 10, 10),
        ("BYTES=0-0", 0, 1),
        ("bytes=90-", 90, 10),
        ("bytes=90-500", 90, 10),
        ("bytes=-5", 95, 5),
        ("bytes=-500", 0, 100),
    ],
)
def test_one_range_is_served(asked: str, start: int, length: int) -> None:
    part = answer(asked)

    assert (part.status, part.start, part.length) == (HTTPStatus.PARTIAL_CONTENT, start, length)
    assert part.content_range == f"bytes {start}-{start + length - 1}/100"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=x", "bytes=5-4", "bytes=-", "rows=0-1"])
def test_anything_else_is_the_whole_file(asked: str) -> None:
    assert answer(asked) == WHOLE


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_without_a_byte_is_refused_with_the_size(asked: str) -> None:
    part = answer(asked)

    assert part.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    assert (part.length, part.content_range) == (0, "bytes */100")


def test_an_empty_file_has_no_range() -> None:
    part = answer("bytes=0-", FileSnapshot(0, MODIFIED))

    assert part.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


@pytest.mark.parametrize(
    ("condition", "date", "expected"),
    [
        ("If_Range", '"etag"', TEN),
        ("If_Range", SAME, TEN),
        ("If_Range", NEWER, TEN),
        ("If_Range", OLDER, WHOLE),
        ("If_Range", "nonsense", TEN),
        ("If_Unmodified_Since", SAME, TEN),
        ("If_Unmodified_Since", NEWER, TEN),
        ("If_Unmodified_Since", OLDER, FileRange(HTTPStatus.PRECONDITION_FAILED)),
        ("If_Modified_Since", OLDER, TEN),
        ("If_Modified_Since", SAME, FileRange(HTTPStatus.NOT_MODIFIED)),
        ("If_Modified_Since", FUTURE, TEN),
    ],
)
def test_validators_are_judged_by_date_alone(
    condition: str, date: str, expected: FileRange
) -> None:
    assert answer("bytes=10-19", **{condition: date}) == expected


def test_a_file_replaced_by_an_older_one_passes_every_validator() -> None:
    older = FileSnapshot(100, datetime(2020, 1, 1, tzinfo=UTC))

    assert answer("bytes=10-19", older, If_Range=SAME, If_Unmodified_Since=SAME) == TEN


def test_a_date_is_in_whole_seconds(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    os.utime(file, ns=(0, 1_999_999_999))

    assert stat_file(file) == FileSnapshot(1, datetime.fromtimestamp(1, UTC))


def test_a_folder_and_what_is_away_are_no_files(tmp_path: Path) -> None:
    assert stat_file(tmp_path) is None
    assert stat_file(tmp_path / "away") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("01 - Tone.flac", "filename=\"01 - Tone.flac\"; filename*=UTF-8''01%20-%20Tone.flac"),
        ("Tone.flac", "filename=Tone.flac; filename*=UTF-8''Tone.flac"),
        ("Tónn.flac", "filename=T_nn.flac; filename*=UTF-8''T%C3%B3nn.flac"),
        ('a"b (1).mp4', "filename=\"ab (1).mp4\"; filename*=UTF-8''ab%20%281%29.mp4"),
    ],
)
def test_a_download_has_the_name_of_its_file(name: str, expected: str) -> None:
    assert disposition(f"/media/{name}") == f"attachment; {expected}"


def test_what_nobody_knows_is_a_stream_of_bytes() -> None:
    assert content_type("a.FLAC") == "audio/flac"
    assert content_type("a.strange") == "application/octet-stream"
