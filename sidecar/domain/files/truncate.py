"""Cuts names that are too long, only where a reader sees a border between two characters."""

from __future__ import annotations

import hashlib
import unicodedata

_MARK_DIGITS = 8
_JOINER = "\u200d"
_SKIN_TONES = "".join(map(chr, range(0x1F3FB, 0x1F400)))
# Two of them make a flag.
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))


def count_units(text: str) -> int:
    """Return the length as Windows counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def shorten(name: str, *, most_bytes: int, most: int | None = None) -> str:
    """Return the name, cut and marked with 8 hex digits if it is too long.

    The mark comes from the whole name, so that two long names stay two and one stays one.

    Args:
        name: Without an extension.
        most_bytes: As UTF-8.
        most: In UTF-16 units; None means that only the bytes count.
    """
    if cut(name, most_bytes=most_bytes, most=most) == name:
        return name
    mark = f" {hashlib.sha256(name.encode()).hexdigest()[:_MARK_DIGITS]}"
    fewer = None if most is None else most - len(mark)
    kept = cut(name, most_bytes=most_bytes - len(mark), most=fewer).rstrip(" .")
    return f"{kept}{mark}"


def cut(text: str, *, most_bytes: int, most: int | None = None) -> str:
    """Return the longest beginning that fits and ends on a border between two characters.

    Args:
        text: Any.
        most_bytes: As UTF-8.
        most: In UTF-16 units; None means that only the bytes count.
    """
    fitting = text.encode()[: max(0, most_bytes)].decode("utf-8", "ignore")
    if most is not None:
        fitting = fitting.encode("utf-16-le")[: max(0, 2 * most)].decode("utf-16-le", "ignore")
    end = len(fitting)
    while 0 < end < len(text) and _is_inside(text, end):
        end -= 1
    # One sign longer than all the room is a heap of accents: better cut it than lose the name.
    return text[:end] if end else fitting


def _is_inside(text: str, end: int) -> bool:
    """Would a cut here take a sign apart that people see as one?"""
    last, following = text[end - 1], text[end]
    if unicodedata.category(following).startswith("M") or _JOINER in (last, following):
        return True
    if following in _SKIN_TONES:
        return True
    if following not in _FLAG_LETTERS:
        return False
    before = text[:end]
    return (len(before) - len(before.rstrip(_FLAG_LETTERS))) % 2 == 1
