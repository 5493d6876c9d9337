"""Companion files beside media files: covers, lyrics, subtitles; their names and content.

Artist/Album/cover.jpg            Film (2001)/poster.jpg
Artist/Album/1-01 - Title.lrc     Film (2001)/Film (2001).de.forced.srt
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, count
from types import MappingProxyType

from sidecar.domain.files.naming import clean_name, without_extension
from sidecar.domain.files.truncate import cut
from sidecar.domain.formats.lyrics import without_word_times
from sidecar.domain.items.item import ItemType

COVER, POSTER, LYRICS = "cover.jpg", "poster.jpg", ".lrc"
# What players look for beside music: which one is the preset's.
COVERS = (COVER, "folder.jpg", "AlbumArt.jpg")
LONGEST_TITLE_BYTES = 40
# Codecs of text subtitles, and the file extension for each.
SUBTITLES = MappingProxyType(
    {"subrip": "srt", "srt": "srt", "ass": "ass", "ssa": "ssa", "webvtt": "vtt", "vtt": "vtt"}
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_WITH_COVER = frozenset({ItemType.AUDIO, ItemType.AUDIO_BOOK})
_BREAKS = re.compile(r"[\r\n]+")


class CompanionKind(StrEnum):
    """The kind of a companion file."""

    COVER = "cover"
    LYRICS = "lyrics"
    SUBTITLES = "subtitles"


@dataclass(frozen=True, slots=True)
class LyricLine:
    """A line of lyrics; `start` in seconds, None if unknown."""

    text: str
    start: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtitle:
    """An external text subtitle file.

    Attributes:
        index: Of the stream, for the request.
        codec: The server's name of it.
        language: As in the file: `de`, `ger`; None if unknown.
        title: What distinguishes it from others of its language; None if it has none.
    """

    index: int
    codec: str
    language: str | None = None
    title: str | None = None
    is_forced: bool = False
    is_for_deaf: bool = False


def cover_path(file_path: str, item_type: str, name: str = COVER) -> str | None:
    """Return the path of a file's cover; None if it has none of its own, or no folder.

    Args:
        file_path: Of the file.
        item_type: Of its item.
        name: Of covers beside music.
    """
    folder, slash, _ = file_path.rpartition("/")
    if not slash:
        return None
    if item_type in _WITH_COVER:
        return f"{folder}/{name}"
    return f"{folder}/{POSTER}" if item_type == ItemType.MOVIE else None


def lyrics_path(file_path: str) -> str:
    """Return the path of a track's lyrics."""
    return without_extension(file_path) + LYRICS


def subtitle_paths(file_path: str, subtitles: Iterable[Subtitle]) -> dict[str, Subtitle]:
    """Return the path of each subtitle file, with a name that players and Jellyfin understand.

    Those of one language have their titles in the names, or numbers from the second one on.
    """
    by_name: dict[str, list[Subtitle]] = {}
    for one in subtitles:
        ending = SUBTITLES.get(one.codec.lower())
        if ending is not None:
            by_name.setdefault(".".join([*_words(one), ending]).lower(), []).append(one)
    stem, found = without_extension(file_path), dict[str, Subtitle]()
    for alike in by_name.values():
        for one in alike:
            words, ending = _words(one), SUBTITLES[one.codec.lower()]
            title = _short_title(one) if len(alike) > 1 else ""
            first = [stem, title, *words] if title else [stem, *words]
            names = chain(
                [".".join([*first, ending])],
                (".".join([*first, f"{number}", ending]) for number in count(2)),
            )
            taken = {name.lower() for name in found}
            found[next(name for name in names if name.lower() not in taken)] = one
    return found


def has_cover_name(path: str) -> bool:
    """Whether a file is called as covers beside music are, for any player."""
    return path.rpartition("/")[2].lower() in map(str.lower, COVERS)


def companion_kind(path: str) -> CompanionKind | None:
    """Return the kind of a companion by its file name; None if it is no companion."""
    name = path.rpartition("/")[2].lower()
    if name == POSTER or has_cover_name(path):
        return CompanionKind.COVER
    if name.endswith(LYRICS):
        return CompanionKind.LYRICS
    return CompanionKind.SUBTITLES if name.rpartition(".")[2] in SUBTITLES.values() else None


def is_orphaned(path: str, files: Collection[str]) -> bool:
    """Whether the media files that a companion belonged to are gone.

    Args:
        path: Of the companion.
        files: The paths of all media without extensions, and of their folders: `media_stems`.
    """
    if companion_kind(path) is CompanionKind.COVER:
        return path.rpartition("/")[0] not in files
    stem = without_extension(path)
    while stem not in files:
        shorter = without_extension(stem)
        if shorter == stem:
            return True
        stem = shorter
    return False


def media_stems(paths: Iterable[str]) -> frozenset[str]:
    """Return the `files` for `is_orphaned`."""
    return frozenset(
        one for path in paths for one in (without_extension(path), path.rpartition("/")[0])
    )


def render_lrc(lines: Sequence[LyricLine], *, knows_words: bool = False) -> str:
    r"""Render lyrics as an LRC file; as plain lines if the times are unknown.

    Args:
        lines: As the server has parsed them.
        knows_words: Whether the player supports times for words; else these are left out.

    >>> render_lrc([LyricLine("One tone", 61.5)])
    '[01:01.50]One tone\n'
    """
    told = "".join(f"{_format_time(one.start)}{_BREAKS.sub(' ', one.text)}\n" for one in lines)
    return told if knows_words else without_word_times(told)


def _format_time(start: float | None) -> str:
    if start is None:
        return ""
    hundredths = round(max(start, 0) * 100)
    minutes, rest = divmod(hundredths, 6000)
    return f"[{minutes:02}:{rest // 100:02}.{rest % 100:02}]"


def _words(one: Subtitle) -> list[str]:
    words = [one.language] if one.language and _LANGUAGE.fullmatch(one.language) else []
    words += ["forced"] if one.is_forced else []
    return [*words, "sdh"] if one.is_for_deaf else words


def _short_title(one: Subtitle) -> str:
    title = (one.title or "").replace(".", " ").strip()
    return cut(clean_name(title), most_bytes=LONGEST_TITLE_BYTES).strip() if title else ""
