"""Shortens names that are too long, without cutting a visible character in two."""

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

    The mark is a hash of the whole name, so that two long names stay different.

    Args:
        name: Without an extension.
        most_bytes: As UTF-8.
        most: In UTF-16 units; None for no such limit.
    """
    if cut(name, most_bytes=most_bytes, most=most) == name:
        return name
    mark = f" {hashlib.sha256(name.encode()).hexdigest()[:_MARK_DIGITS]}"
    fewer = None if most is None else most - len(mark)
    kept = cut(name, most_bytes=most_bytes - len(mark), most=fewer).rstrip(" .")
    return f"{kept}{mark}"


def cut(text: str, *, most_bytes: int, most: int | None = None) -> str:
    """Return the longest prefix that fits and does not split a visible character.

    Args:
        text: Any.
        most_bytes: As UTF-8.
        most: In UTF-16 units; None for no such limit.
    """
    if text.isascii() and len(text) <= (most_bytes if most is None else min(most_bytes, most)):
        # As nearly all are, in a tenth of the time.
        return text
    fitting = text.encode()[: max(0, most_bytes)].decode("utf-8", "ignore")
    if most is not None:
        fitting = fitting.encode("utf-16-le")[: max(0, 2 * most)].decode("utf-16-le", "ignore")
    end = len(fitting)
    while 0 < end < len(text) and _is_inside(text, end):
        end -= 1
    # A single character longer than the limit is a pile of accents: cut it.
    return text[:end] if end else fitting


def _is_inside(text: str, end: int) -> bool:
    """Whether a cut here would split what people see as one character."""
    last, following = text[end - 1], text[end]
    if unicodedata.category(following).startswith("M") or _JOINER in (last, following):
        return True
    if following in _SKIN_TONES:
        return True
    if following not in _FLAG_LETTERS:
        return False
    before = text[:end]
    return (len(before) - len(before.rstrip(_FLAG_LETTERS))) % 2 == 1
