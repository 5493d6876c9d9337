"""Which part of a file a request is for: RFC 9110 in one place, without a file or a socket.

    If-Match, If-Unmodified-Since ─▶ 412     If-None-Match, If-Modified-Since ─▶ 304
    Range (if If-Range agrees)    ─▶ 206, 416     anything else ─▶ 200

Several ranges at once, and what is no range at all, are answered with the whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from werkzeug.http import parse_date, parse_etags, unquote_etag

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FileVersion:
    """What a file is now.

    Attributes:
        etag: A strong one, without quotes.
        modified: To the second.
    """

    size: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class RangePart:
    """What is answered, and which bytes go with it."""

    status: HTTPStatus
    start: int = 0
    length: int = 0


def part_of(facts: FileVersion, asked: Mapping[str, str]) -> RangePart:
    """Return what a request with these headers is answered."""
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


def _precondition(facts: FileVersion, asked: Mapping[str, str]) -> HTTPStatus | None:
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


def _is_still(facts: FileVersion, condition: str | None) -> bool:
    """Whether what a part is to be added to is a part of this very file."""
    if condition is None:
        return True
    date = _date(condition)
    if date is not None:
        return date == facts.modified
    etag, is_weak = unquote_etag(condition)
    return not is_weak and etag == facts.etag


def _date(text: str | None) -> datetime | None:
    """Return the date of a header; None for what is no date."""
    try:
        return parse_date(text)
    except OverflowError:
        return None


def to_the_second(nanoseconds: int) -> datetime:
    """Return a file's time as HTTP tells it."""
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC)
