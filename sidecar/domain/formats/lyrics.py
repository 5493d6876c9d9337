"""Converts lyrics with times for words into plain lines, for players that do not support these."""

from __future__ import annotations

import re

_AT = r"\d{1,3}:\d{2}(?:[.:]\d{1,3})?"
_WORD = re.compile(rf"<{_AT}>")
_LINE = re.compile(rf"((?:\[{_AT}\])*)(.*)", re.DOTALL)
_INLINE = re.compile(rf"\[{_AT}\]")


def without_word_times(text: str) -> str:
    r"""Remove the times of words from lyrics; those of lines stay.

    >>> without_word_times("[00:01.00]<00:01.00>One <00:01.50>tone")
    '[00:01.00]One tone'
    """
    return "\n".join(map(_line, text.split("\n")))


def _line(line: str) -> str:
    found = _LINE.fullmatch(line)
    if found is None or not (_WORD.search(found[2]) or _INLINE.search(found[2])):
        return line
    words = _INLINE.sub(" ", _WORD.sub(" ", found[2]))
    # One space between two words, wherever the times were.
    joined = _INLINE.sub("", _WORD.sub("", found[2]))
    text = joined if " " in joined.strip() else words
    return found[1] + " ".join(text.split())
