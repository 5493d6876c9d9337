"""Formats ids, dates, durations and JSON as Jellyfin does."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

Json = dict[str, object]

TICKS_PER_SECOND = 10_000_000
NEVER = "0001-01-01T00:00:00.0000000Z"
NO_ID = "0" * 32
_ID_LENGTH = 32


def guid_of(text: str) -> str:
    """Return the id that Jellyfin derives from a text: MD5 of its UTF-16, in .NET's byte order."""
    digest = hashlib.md5(text.encode("utf-16-le"), usedforsecurity=False).digest()
    return UUID(bytes_le=digest).hex


def fingerprint(text: str) -> str:
    """Return a hash of the text as 32 hex digits, for etags and image tags."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def new_id() -> str:
    """Return a new random id."""
    return uuid4().hex


def parse_id(text: str) -> str | None:
    """Return an id without dashes, from either form; None if it is not one."""
    plain = text.replace("-", "").lower()
    is_hex = len(plain) == _ID_LENGTH and all(one in "0123456789abcdef" for one in plain)
    return plain if is_hex else None


def add_dashes(item_id: str) -> str:
    """Return the form with dashes, which user data keys have."""
    return str(UUID(item_id))


def ticks(seconds: float) -> int:
    """Return a duration in units of 100 ns."""
    return round(seconds * TICKS_PER_SECOND)


def now() -> datetime:
    """Return the wall time in UTC."""
    return datetime.now(UTC)


def format_date(moment: datetime | None) -> str | None:
    """Return a date with seven digits when the milliseconds are 0, else with no zeros at the end.

    None stays None, for a field that is then left out.
    """
    if moment is None:
        return None
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    # Not %Y alone: the year 1 must have four digits.
    text = text.rjust(len("0001-01-01T00:00:00"), "0")
    digits = f"{moment.microsecond:06d}0"
    if moment.microsecond >= 1000:  # noqa: PLR2004 - a millisecond in microseconds
        digits = digits.rstrip("0")
    return f"{text}.{digits}Z"


def parse_date(text: str) -> datetime:
    """Parse a date that a client sent; without an offset it is UTC.

    Raises:
        ValueError: It is not a date.
    """
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def to_json(value: object) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def drop_nulls(fields: Json) -> Json:
    """Return the fields that have a value, in the same order."""
    return {name: value for name, value in fields.items() if value is not None}


def to_camel(name: str) -> str:
    """Return a name as the starting server spells it."""
    return name[:1].lower() + name[1:]
