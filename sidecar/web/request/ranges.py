"""Evaluates conditional and range requests as in RFC 9110, without input or output.

    If-Match, If-Unmodified-Since ─▶ 412     If-None-Match, If-Modified-Since ─▶ 304
    Range (if If-Range agrees)    ─▶ 206, 416     anything else ─▶ 200

Multiple or malformed ranges are answered with the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from werkzeug.http import parse_date, parse_etags, unquote_etag

LATEST_S = 253402300799  # the last second of the year 9999
# Spaces are not given back: else a header of spaces takes seconds.
_RANGE = re.compile(r"bytes\s*+=\s*+(\d{0,18})\s*+-\s*+(\d{0,18})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ServedFile:
    """The validators and the size of a file.

    Attributes:
        size: In bytes.
        etag: A strong one, without quotes.
        modified: Without fractions of a second.
    """

    size: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class RangePart:
    """The status of the answer, and the bytes of the file that it has."""

    status: HTTPStatus
    start: int = 0
    length: int = 0


def part_of(facts: ServedFile, asked: Mapping[str, str]) -> RangePart:
    """Return the status and the bytes for a request with these headers."""
    refusal = _precondition(facts, asked)
    if refusal is not None:
        return RangePart(refusal)
    whole = RangePart(HTTPStatus.OK, 0, facts.size)
    if not _is_still(facts, asked.get("If-Range")):
        return whole
    found = _RANGE.fullmatch(asked.get("Range", "").strip())
    if found is None or not any(found.groups()):
        return whole
    return _stretch(facts.size, *found.groups())


def _stretch(size: int, first: str, last: str) -> RangePart:
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return RangePart(HTTPStatus.OK, 0, size)
    if start >= end:
        return RangePart(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    return RangePart(HTTPStatus.PARTIAL_CONTENT, start, end - start)


def _precondition(facts: ServedFile, asked: Mapping[str, str]) -> HTTPStatus | None:
    match, unmodified = asked.get("If-Match"), _date(asked.get("If-Unmodified-Since"))
    none_match, modified = asked.get("If-None-Match"), _date(asked.get("If-Modified-Since"))
    if match is not None:
        if not parse_etags(match).contains(facts.etag):
            return HTTPStatus.PRECONDITION_FAILED
    elif unmodified is not None and facts.modified > unmodified:
        return HTTPStatus.PRECONDITION_FAILED
    if none_match is not None:
        is_known = parse_etags(none_match).contains_weak(facts.etag)
    else:
        is_known = modified is not None and facts.modified <= modified
    return HTTPStatus.NOT_MODIFIED if is_known else None


def _is_still(facts: ServedFile, condition: str | None) -> bool:
    """Whether the `If-Range` header matches, so that the client has a part of this version."""
    if condition is None:
        return True
    date = _date(condition)
    if date is not None:
        return date == facts.modified
    etag, is_weak = unquote_etag(condition)
    return not is_weak and etag == facts.etag


def _date(text: str | None) -> datetime | None:
    """Parse the date of a header; None if it is missing or invalid."""
    try:
        return parse_date(text)
    except OverflowError:
        return None


def to_the_second(nanoseconds: int) -> datetime:
    """Convert a file's time to a date without fractions of a second, as in HTTP.

    A file may say any year: one that no calendar has is its nearest.
    """
    return datetime.fromtimestamp(min(max(nanoseconds // 10**9, 0), LATEST_S), UTC)
