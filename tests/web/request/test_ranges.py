from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.web.request.ranges import RangePart, ServedFile, part_of, to_the_second

WHEN = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
THEN = "Sun, 01 Nov 2026 12:00:00 GMT"
LATER = "Sun, 01 Nov 2026 12:00:01 GMT"
EARLIER = "Sun, 01 Nov 2026 11:59:59 GMT"
FILE = ServedFile(1000, "abc", WHEN)
WHOLE = RangePart(HTTPStatus.OK, 0, 1000)


@pytest.mark.parametrize(
    ("asked", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1000),
        ("bytes=999-", 999, 1),
        ("bytes=10-19", 10, 10),
        ("bytes=10-99999", 10, 990),
        ("bytes=-1", 999, 1),
        ("bytes=-1000", 0, 1000),
        ("bytes=-5000", 0, 1000),
        (" BYTES = 5 - 6 ", 5, 2),
    ],
)
def test_one_range_is_answered_with_its_bytes(asked: str, start: int, length: int) -> None:
    assert part_of(FILE, {"Range": asked}) == RangePart(HTTPStatus.PARTIAL_CONTENT, start, length)


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=1000-2000", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_satisfied(asked: str) -> None:
    refused = RangePart(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)

    assert part_of(FILE, {"Range": asked}) == refused
    assert part_of(ServedFile(0, "e", WHEN), {"Range": "bytes=0-"}) == refused


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "bytes=",
        "bytes=-",
        "bytes=20-10",
        "bytes=0-1,5-6",
        "items=0-1",
        "bytes=a-b",
        "bytes=\u0660-\u0669",
        "bytes=0x1-2",
        f"bytes={'9' * 400}-",
    ],
)
def test_what_is_no_range_is_answered_with_the_whole(asked: str) -> None:
    assert part_of(FILE, {"Range": asked}) == WHOLE


@pytest.mark.parametrize(
    ("condition", "is_still"),
    [
        ('"abc"', True),
        ('W/"abc"', False),
        ('"other"', False),
        (THEN, True),
        (LATER, False),
        (EARLIER, False),
        ("nonsense", False),
        (f"Sun, 01 Nov {'9' * 30} 12:00:00 GMT", False),
    ],
)
def test_a_part_is_added_only_to_parts_of_the_same_file(condition: str, is_still: bool) -> None:
    found = part_of(FILE, {"Range": "bytes=5-", "If-Range": condition})

    assert found == (RangePart(HTTPStatus.PARTIAL_CONTENT, 5, 995) if is_still else WHOLE)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": '"abc"'}, 304),
        ({"If-None-Match": 'W/"abc"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": THEN}, 200),
        ({"If-Modified-Since": THEN}, 304),
        ({"If-Modified-Since": LATER}, 304),
        ({"If-Modified-Since": EARLIER}, 200),
        ({"If-Modified-Since": f"Sun, 01 Nov {'9' * 30} 12:00:00 GMT"}, 200),
        ({"If-Match": '"abc"'}, 200),
        ({"If-Match": 'W/"abc"'}, 412),
        ({"If-Match": '"other"'}, 412),
        ({"If-Unmodified-Since": EARLIER}, 412),
        ({"If-Unmodified-Since": THEN}, 200),
        ({"If-Match": '"abc"', "If-Unmodified-Since": EARLIER}, 200),
    ],
)
def test_conditions_are_kept(headers: dict[str, str], status: int) -> None:
    assert part_of(FILE, headers).status == status


@given(
    st.integers(0, 5000),
    st.from_regex(r"bytes=\d{0,5}-\d{0,5}", fullmatch=True),
)
def test_no_range_leaves_the_file(size: int, asked: str) -> None:
    found = part_of(ServedFile(size, "e", WHEN), {"Range": asked})

    assert 0 <= found.start <= found.start + found.length <= size
    assert (found.status == HTTPStatus.PARTIAL_CONTENT) <= (found.length > 0)


def test_a_file_s_time_is_told_to_the_second() -> None:
    assert to_the_second(1_793_534_400_999_999_999) == WHEN


@pytest.mark.parametrize(("seconds", "year"), [(10**12, 9999), (-(10**12), 1970)])
def test_a_file_s_time_that_is_in_no_calendar_is_told_as_the_nearest(
    seconds: int, year: int
) -> None:
    assert to_the_second(seconds * 10**9).year == year
