"""What a header says is believed only if it makes sense."""

from __future__ import annotations

import pytest

from sidecar.domain.transfers.headers import (
    LARGEST_FILE,
    ContentRange,
    parse_content_range,
    read_host,
    read_length,
    read_mime_type,
    read_strong_validator,
    read_total,
    retry_after,
)

NOW = "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bytes 0-99/100", ContentRange(0, 99, 100)),
        (" bytes 50-99/* ", ContentRange(50, 99, None)),
        ("bytes 99-50/100", None),
        ("bytes 0-99", None),
        ("items 0-99/100", None),
        ("bytes \u0660-\u0669/\u0661\u0660", None),
        ("", None),
    ],
)
def test_a_range_is_read_or_refused(text: str, found: ContentRange | None) -> None:
    assert parse_content_range({"content-range": text}) == found


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"content-length": "100"}, 100),
        ({"content-length": "0"}, 0),
        ({"content-length": "-1"}, None),
        ({"content-length": "1e3"}, None),
        ({"content-length": "9" * 30}, None),
        ({"content-length": str(LARGEST_FILE)}, None),
        ({"content-length": "100", "transfer-encoding": "chunked"}, None),
        ({}, None),
    ],
)
def test_a_length_is_believed_or_unknown(headers: dict[str, str], found: int | None) -> None:
    assert read_length(headers) == found


@pytest.mark.parametrize(
    ("status", "headers", "found"),
    [
        (200, {"content-length": "100"}, 100),
        (206, {"content-range": "bytes 0-0/100", "content-length": "1"}, 100),
        (206, {"content-length": "1"}, None),
        (416, {"content-range": "bytes */100"}, 100),
        (416, {}, None),
    ],
)
def test_each_kind_of_answer_tells_the_whole_length(
    status: int, headers: dict[str, str], found: int | None
) -> None:
    assert read_total(status, headers) == found


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "000000000000000000005"}, 5.0),
        ({"retry-after": "9" * 40}, 3600.0),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT", "date": NOW}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 09:00:00 GMT", "date": NOW}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_obeyed_up_to_an_hour(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("modified", "date", "is_strong"),
    [
        ("Mon, 23 Nov 2026 09:00:00 GMT", NOW, True),
        ("Mon, 23 Nov 2026 09:59:59 GMT", NOW, True),
        (NOW, NOW, False),
        ("Mon, 23 Nov 2026 09:00:00 GMT", "", False),
        ("yesterday", NOW, False),
    ],
)
def test_only_an_old_enough_date_tells_versions_apart(
    modified: str, date: str, *, is_strong: bool
) -> None:
    found = read_strong_validator({"last-modified": modified, "date": date})

    assert found == (modified if is_strong else None)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://sso.example/login?token=secret", "sso.example"),
        ("http://user:secret@box:8096/x", "box:8096"),
        ("/web/index.html", None),
        ("http://[broken", None),
        ("http://box:port/", None),
    ],
)
def test_of_a_redirect_only_the_host_is_told(location: str, host: str | None) -> None:
    assert read_host(location) == host


def test_a_type_comes_without_parameters() -> None:
    assert read_mime_type({"content-type": "Audio/FLAC; charset=x"}) == "audio/flac"
    assert read_mime_type({}) is None
