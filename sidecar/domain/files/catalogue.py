"""Groups a device's files for people: albums by artist, series by season, films.

Grouped by folder; names come from the tags.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sidecar.domain.items.item import ItemType

# File names of covers, best first.
COVERS = ("cover.jpg", "folder.jpg", "AlbumArt.jpg", "poster.jpg", "cover.png", "folder.png")


class WorkKind(StrEnum):
    """The kind of a work, in the order of display."""

    MUSIC = "music"
    BOOKS = "books"
    FILMS = "films"
    SERIES = "series"


_OF_KIND: Mapping[str, WorkKind] = MappingProxyType(
    {
        ItemType.AUDIO_BOOK: WorkKind.BOOKS,
        ItemType.EPISODE: WorkKind.SERIES,
        ItemType.MOVIE: WorkKind.FILMS,
        ItemType.VIDEO: WorkKind.FILMS,
        ItemType.MUSIC_VIDEO: WorkKind.FILMS,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A complete file on a device, as it is listed for people.

    Attributes:
        kind: Jellyfin's name of its type.
        path: Below the device's root.
    """

    path: str
    title: str
    artist: str | None
    album: str | None
    kind: str
    size: int


@dataclass(frozen=True, slots=True)
class FolderPart:
    """Files that lie in one folder: an album, or a season.

    Attributes:
        label: Its name if it is one of several; else empty.
    """

    label: str
    folder: str
    files: tuple[ListedFile, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """An album, an audiobook, a film or a series.

    Attributes:
        by: The artist or author; may be empty.
    """

    kind: WorkKind
    title: str
    by: str
    parts: tuple[FolderPart, ...]

    @property
    def cover_places(self) -> tuple[str, ...]:
        """The possible paths of its cover, best first."""
        folders = [one.folder for one in self.parts if one.folder]
        if self.kind is WorkKind.SERIES:
            folders = [*dict.fromkeys(one.partition("/")[0] for one in folders), *folders]
        return tuple(f"{folder}/{name}" for folder in folders for name in COVERS)


def group_works(files: Iterable[ListedFile]) -> Sequence[Work]:
    """Group files into works, in the order of display."""
    groups: dict[tuple[WorkKind, str, str], list[ListedFile]] = {}
    for one in files:
        groups.setdefault(_group(one), []).append(one)
    found = [_make_work(kind, top, inside) for (kind, top, _), inside in groups.items()]
    order = list(WorkKind)
    return sorted(
        found, key=lambda one: (order.index(one.kind), _sort_key(one.by), _sort_key(one.title))
    )


def fold_text(text: str) -> str:
    """Return the text without case and accents, to sort and to search by."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))


def _group(file: ListedFile) -> tuple[WorkKind, str, str]:
    kind = _OF_KIND.get(file.kind, WorkKind.MUSIC)
    folder = file.path.rpartition("/")[0]
    match kind:
        case WorkKind.SERIES:
            top = folder.partition("/")[0]
            # In a folder with files of all kinds, only the series tells which belong together.
            return kind, top, "" if "/" in folder else file.artist or ""
        case WorkKind.FILMS:
            return kind, folder, file.path
        case _:
            return kind, folder, file.album or ""


def _make_work(kind: WorkKind, top: str, files: Sequence[ListedFile]) -> Work:
    parts: dict[str, list[ListedFile]] = {}
    for one in files:
        parts.setdefault(one.path.rpartition("/")[0], []).append(one)
    several = kind is WorkKind.SERIES
    made = tuple(
        FolderPart(folder.rpartition("/")[2] if several else "", folder, tuple(inside))
        for folder, inside in sorted(parts.items())
    )
    return Work(kind, _choose_title(kind, top, files), _choose_author(kind, top, files), made)


def _choose_title(kind: WorkKind, top: str, files: Sequence[ListedFile]) -> str:
    first = files[0]
    if kind is WorkKind.FILMS:
        return first.title
    if kind is WorkKind.SERIES:
        names = {one.artist for one in files}
        return first.artist if len(names) == 1 and first.artist else top
    return first.album or top.rpartition("/")[2] or first.title


def _choose_author(kind: WorkKind, top: str, files: Sequence[ListedFile]) -> str:
    if kind in {WorkKind.FILMS, WorkKind.SERIES}:
        return ""
    names = {one.artist for one in files}
    only = files[0].artist
    if len(names) == 1 and only:
        return only
    return top.partition("/")[0] if "/" in top else "Various artists"


def _sort_key(text: str) -> str:
    return fold_text(text).removeprefix("the ")
