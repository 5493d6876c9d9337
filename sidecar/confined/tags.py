"""Reads tags and running time of a file with mutagen.

A damaged file, or one of a kind without tags, gives empty tags.
"""

from __future__ import annotations

import errno
import math
import struct
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import BinaryIO

import mutagen

from sidecar.domain.adoption.tags import FoundTags

# Longest text of a tag, in characters; the rest is cut off.
LONGEST = 250
MOST_VALUES = 20
LONGEST_S = 1e9
# Exceptions that mutagen raises for damaged files.
DAMAGED = (
    mutagen.MutagenError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    EOFError,
    ArithmeticError,
    RecursionError,
    MemoryError,
    NotImplementedError,
    struct.error,
)


def tags_in(file: BinaryIO) -> FoundTags:
    """Return the tags of a file; empty ones if it has none that can be read.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        found = mutagen.File(file, easy=True)
        return FoundTags() if found is None else _tags(found)
    except DAMAGED as error:
        raise_if_disk(error)
        return FoundTags()


def raise_if_disk(error: BaseException) -> None:
    """Raise the error of the disk behind an exception of mutagen, if there is one."""
    cause = error if isinstance(error, OSError) else error.__context__
    # In a damaged file mutagen may seek to invalid places, which fails with EINVAL.
    if isinstance(cause, OSError) and cause.errno not in {None, errno.EINVAL}:
        raise cause from None


def _tags(found: mutagen.FileType) -> FoundTags:
    told: Mapping[str, Iterable[object]] = found.tags or {}
    return FoundTags(
        title=_join(told.get("title")),
        artist=_join(told.get("artist")),
        album_artist=_join(told.get("albumartist")),
        album=_join(told.get("album")),
        number=_number(_join(told.get("tracknumber"))),
        seconds=_seconds(getattr(found.info, "length", None)),
    )


def _join(values: Iterable[object] | None) -> str | None:
    if values is None:
        return None
    several = [values] if isinstance(values, str) else islice(values, MOST_VALUES)
    texts = [str(one)[: LONGEST * 4].strip() for one in several]
    whole = ", ".join(one for one in texts if one)[:LONGEST]
    return whole.encode("utf-8", "replace").decode() or None


def _number(text: str | None) -> int | None:
    digits = (text or "").partition("/")[0].strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else None  # noqa: PLR2004 - no album has so many tracks


def _seconds(length: object) -> float | None:
    if not isinstance(length, int | float) or not math.isfinite(length):
        return None
    return float(length) if 0 < length < LONGEST_S else None
