"""Decides which foreign files on a device are files of the library: certain, in doubt, or not.

    same size ─┬─ and the path that we would give it, or all of its tags ─▶ certain
               ├─ and no more than its title, or more than one fits ─▶ in doubt: bytes are compared
               └─ else ─▶ foreign, stays untouched

A file of another size is never the same, whatever its tags say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sidecar.domain.adoption.tags import FoundTags
from sidecar.domain.files.naming import file_stem, make_path_key
from sidecar.domain.files.presets import possible_paths
from sidecar.domain.items.comparison import LENGTH_TOLERANCE_S, name_key, split_artists
from sidecar.domain.items.item import Item
from sidecar.domain.items.media_types import extension_in
from sidecar.messages import msg

# Of each part of a file that is compared.
SAMPLE_BYTES = 64 * 1024
BY_PATH = msg("its size and its place are those of the original")
BY_TAGS = msg("its size and its tags are those of the original")
BY_TITLE = msg("its size and its title are those of the original, its other tags are not")
MORE_THAN_ONE = msg("it may be any of {count} originals")


@dataclass(frozen=True, slots=True)
class Guess:
    """The items that a file may be: a certain one or several in doubt, with the reason."""

    items: tuple[Item, ...]
    is_sure: bool
    why: str


def is_media(path: str) -> bool:
    """Whether a file has the extension of a media file."""
    return bool(extension_in(path))


class LibraryIndex:
    """Finds candidates for a file in a library, by path and by title."""

    def __init__(self, items: Iterable[Item]) -> None:
        """Index the items; size and extension are not needed."""
        self._by_stem: dict[str, list[str]] = {}
        self._by_title: dict[str, list[str]] = {}
        for one in items:
            for stem in {file_stem(path) for path in possible_paths(one)}:
                self._by_stem.setdefault(stem, []).append(one.id)
            self._by_title.setdefault(name_key(one.title), []).append(one.id)

    def find_by_path(self, path: str) -> Sequence[str]:
        """Return the items whose files would have this path, ignoring the extension."""
        return self._by_stem.get(file_stem(path), ())

    def find_by_title(self, tags: FoundTags) -> Sequence[str]:
        """Return the items that have this title."""
        return self._by_title.get(name_key(tags.title), ()) if tags.title else ()


def guess(
    path: str,
    size: int,
    tags: FoundTags | None,
    candidates: Collection[str],
    items: Mapping[str, Item],
) -> Guess | None:
    """Decide which item a file is; None for a foreign file.

    Args:
        path: Of the file.
        size: Of the file in bytes.
        tags: Of the file; None if they were not read.
        candidates: Ids of the items that it may be.
        items: Full ones, by id.
    """
    fitting = [items[one] for one in candidates if one in items and items[one].size == size]
    placed = [
        one for one in fitting if make_path_key(path) in map(make_path_key, possible_paths(one))
    ]
    if len(placed) == 1:
        return Guess(tuple(placed), is_sure=True, why=BY_PATH)
    if tags is None:
        return None
    alike = [one for one in fitting if has_tags_of(one, tags)]
    if len(alike) == 1:
        return Guess(tuple(alike), is_sure=True, why=BY_TAGS)
    if alike or len(fitting) > 1:
        likely = tuple(alike or fitting)
        return Guess(likely, is_sure=False, why=MORE_THAN_ONE.format(count=len(likely)))
    if fitting:
        return Guess(tuple(fitting), is_sure=False, why=BY_TITLE)
    return None


def has_tags_of(item: Item, tags: FoundTags) -> bool:
    """Whether artist, album, title, number and length agree; only the last two may be missing."""
    if not tags.title or name_key(tags.title) != name_key(item.title):
        return False
    if not (tags.album and item.album) or name_key(tags.album) != name_key(item.album):
        return False
    theirs = [one for one in (tags.artist, tags.album_artist) if one]
    ours = [one for one in (item.artist, item.album_artist) if one]
    if not any(split_artists(one) & split_artists(other) for one in theirs for other in ours):
        return False
    if None not in {tags.number, item.number} and tags.number != item.number:
        return False
    if not tags.seconds or not item.seconds:
        return True
    return abs(tags.seconds - item.seconds) <= LENGTH_TOLERANCE_S


def choose_samples(size: int) -> tuple[tuple[int, int], ...]:
    """Return which parts of a file are compared, as (start, length): its head, middle and tail.

    A file that is not larger than those three is compared as a whole.
    """
    block = SAMPLE_BYTES
    if size <= 3 * block:
        return ((0, size),) if size else ()
    return (0, block), ((size - block) // 2, block), (size - block, block)
