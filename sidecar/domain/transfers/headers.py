"""Parses the headers of a response; what is missing or invalid becomes None.

Headers are keyed by their lower-case names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urlsplit

LONGEST_RETRY_AFTER_S = 3600.0
LARGEST_FILE = 2**62
OK, PARTIAL, PRECONDITION_FAILED, NOT_SATISFIABLE = 200, 206, 412, 416

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII)
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,19})", re.ASCII)

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Which bytes a 206 brings.

    Attributes:
        first: Offset of the first byte.
        last: Offset of the last byte, not before the first.
        total: Length of the whole file; None if the server does not say.
    """

    first: int
    last: int
    total: int | None


def parse_content_range(headers: Headers) -> ContentRange | None:
    """Return the range of a 206; None if it has no valid one."""
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None or int(match[2]) < int(match[1]):
        return None
    return ContentRange(int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3]))


def read_total(status: int, headers: Headers) -> int | None:
    """Return the length of the whole file that a 200, 206 or 416 states, if it does."""
    if status == OK:
        return read_length(headers)
    if status == PARTIAL:
        there = parse_content_range(headers)
        return there.total if there else None
    match = _UNSATISFIED.fullmatch(headers.get("content-range", "").strip())
    return int(match[1]) if match else None


def read_length(headers: Headers) -> int | None:
    """Return the body's length; None if the server gave no valid one."""
    if "transfer-encoding" in headers:
        # With chunks, `Content-Length` is ignored.
        return None
    text = headers.get("content-length", "").strip()
    if not text.isascii() or not text.isdigit():
        return None
    length = int(text) if len(text) < 20 else LARGEST_FILE  # noqa: PLR2004 - more than 64 bits
    return length if length < LARGEST_FILE else None


def retry_after(headers: Headers) -> float | None:
    """Return the seconds the server asks us to wait, an hour at most; None if it did not."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0") or "0"
        return min(float(digits[:9]), LONGEST_RETRY_AFTER_S)
    until, now = _parse_date(text), _parse_date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER_S)


def read_strong_validator(headers: Headers) -> str | None:
    """Return the `Last-Modified` as written, if it distinguishes versions.

    One less than a second older than the response may be that of two versions; without the
    server's `Date` this cannot be excluded.
    """
    text = headers.get("last-modified")
    modified, now = _parse_date(text or ""), _parse_date(headers.get("date", ""))
    if modified is None or now is None:
        return None
    return text if (now - modified).total_seconds() >= 1 else None


def read_host(location: str) -> str | None:
    """Return the host that a redirect leads to, if it names one; the rest may hold secrets."""
    try:
        parts = urlsplit(location)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return None
    return f"{parts.hostname}{port}"[:200] if parts.hostname else None


def read_mime_type(headers: Headers) -> str | None:
    """Return the type of the body without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() or None


# Answers of one second have the same date.
@lru_cache(maxsize=64)
def _parse_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else None
