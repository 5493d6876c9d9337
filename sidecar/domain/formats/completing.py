"""Replaces missing and broken tags of a file by Jellyfin's metadata.

A file's own tags win wherever they are readable: people maintain them, and most of Jellyfin's
metadata is from them. A tag is broken if characters were lost ("Caf\ufffd"), if it was decoded in
the wrong character set or cut off, or if it is a placeholder ("Track 01").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from sidecar.domain.formats.tags import Tags
from sidecar.domain.items.comparison import name_key

# Jellyfin is asked if one of these is missing; the other tags come with the response.
NEEDED = ("title", "artist", "album", "tracknumber")
# ID3v1 cuts texts at thirty characters, or a little less.
_CUT_OFF = range(28, 31)
_NOTHING_SAID = re.compile(
    r"<?(?:unknown|untitled|unbekannt\w*|inconnue?|desconocid[oa]|no)>?"
    r"(?: (?:artist|album|title|interpret\w*|titel|artista|artiste))?"
    r"|(?:audio ?)?(?:track|titel|piste|pista|spur) ?\d{0,3}|new artist|no (?:artist|title|album)"
)
# Character sets of tags that are often decoded as Western ones.
_ALPHABETS = (
    *("utf-8", "cp1251", "koi8-r", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "iso8859-2"),
    *("cp932", "gbk", "big5", "euc-kr", "euc-jp", "cp874", "cp1257", "cp866", "cp437", "cp850"),
)
_WESTERN = ("latin-1", "cp1252")


def is_in_doubt(tags: Mapping[str, Sequence[str]]) -> bool:
    """Whether an important tag is missing or looks broken."""
    if any(name not in tags for name in NEEDED):
        return True
    return any(
        _looks_broken(name, value)
        for name in (*NEEDED, "albumartist")
        for value in tags.get(name, ())
    )


def completed(tags: Mapping[str, Sequence[str]], known: Mapping[str, Sequence[str]]) -> Tags:
    """Return a file's tags, with Jellyfin's where they are missing or broken.

    Args:
        tags: Of the file, as `tags.collected` returns them.
        known: Jellyfin's, under the same names.
    """
    ready: Tags = {name: tuple(values) for name, values in tags.items()}
    for name, values in known.items():
        own = ready.get(name, ())
        if values and (not own or _is_worse(name, own, values)):
            ready[name] = tuple(values)
    return ready


def changes(tags: Mapping[str, Sequence[str]], known: Mapping[str, Sequence[str]]) -> Tags:
    """Return only those tags that `completed` would add or replace."""
    ready = completed(tags, known)
    return {name: values for name, values in ready.items() if tuple(tags.get(name, ())) != values}


def _looks_broken(name: str, value: str) -> bool:
    """Whether a text may be broken, judging without the right one."""
    if name == "tracknumber":
        return not value.isdigit()
    return (
        _has_lost_signs(value)
        or "?" in value
        or len(value) in _CUT_OFF
        or _NOTHING_SAID.fullmatch(value.casefold()) is not None
        or _may_be_misread(value)
    )


def _may_be_misread(value: str) -> bool:
    try:
        raw = value.encode("cp1252")
    except UnicodeEncodeError:
        try:
            raw = value.encode("latin-1")
        except UnicodeEncodeError:
            return False
    high = sum(one >= 0x80 for one in raw)  # noqa: PLR2004 - beyond ASCII
    if not high:
        return False
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        letters = sum(one.isalpha() or ord(one) >= 0x80 for one in value)  # noqa: PLR2004 - same
        return high * 2 >= letters
    return True


def _is_worse(name: str, own: Sequence[str], known: Sequence[str]) -> bool:
    if name in {"tracknumber", "discnumber"}:
        return not own[0].isdigit()
    if name == "date":
        return not own[0][:4].isdigit()
    if any(map(_has_lost_signs, known)):
        return False
    told, right = "; ".join(own), "; ".join(known)
    if name_key(told) == name_key(right):
        return False
    return (
        _has_lost_signs(told)
        or _NOTHING_SAID.fullmatch(name_key(told)) is not None
        or any(_is_cut_off(one, other) for one in own for other in (*known, right))
        or any(_is_misread(one, other) for one in own for other in (*known, right))
        or any(_has_marks_for(one, other) for one in own for other in (*known, right))
    )


def _has_lost_signs(text: str) -> bool:
    """Whether there are characters that no program writes on purpose."""
    return any(
        one == "\ufffd" or (unicodedata.category(one) == "Cc" and one not in "\n\t") for one in text
    )


def _is_cut_off(text: str, right: str) -> bool:
    return (
        len(text) in _CUT_OFF
        and len(right) > len(text)
        and name_key(right).startswith(name_key(text))
    )


def _is_misread(text: str, right: str) -> bool:
    """Whether a text is the right one, decoded in the wrong character set."""
    if text.isascii():
        return False
    for western in _WESTERN:
        try:
            raw = text.encode(western)
        except UnicodeEncodeError:
            continue
        for alphabet in _ALPHABETS:
            try:
                if name_key(raw.decode(alphabet)) == name_key(right):
                    return True
            except UnicodeDecodeError:
                continue
    return False


def _has_marks_for(text: str, right: str) -> bool:
    """Whether a text has "?" where the right one has a letter that some character sets lack."""
    return (
        "?" in text
        and len(text) == len(right)
        and text != right
        and all(a == b or (a == "?" and not b.isascii()) for a, b in zip(text, right, strict=True))
    )
