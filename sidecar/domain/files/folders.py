"""Chooses the folder of a new file on a device, with regard to what is there already.

Artist/Twin (2001)                another album has it ─▶ Artist/Twin (2001) [11aff194]
Artist/ECHO                       Artist/Echo is there ─▶ its spelling
Various Artists                   full                 ─▶ Various Artists 2
the root                          full                 ─▶ More/Artist/...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from sidecar.domain.files.groups import ALONE, Group
from sidecar.domain.files.naming import (
    ANY,
    WITH_OWN_FOLDER,
    FileNames,
    Layout,
    NameLimits,
    build_distinct_path,
    build_names,
    build_separate_path,
    make_path_key,
    mark_folder,
)
from sidecar.domain.items.item import Item, ItemType

MORE = "More"
# Of a full root, for playlists, the index page, what is not ours, and further folders.
LEFT_FREE_IN_ROOT = 16


class FoldersThere(Protocol):
    """What is known of the folders on a device. Keys are those of `make_path_key`."""

    def spelling(self, key: str) -> str | None:
        """Return how a folder is spelled, without those above it; None if there is none."""

    def owner(self, key: str) -> str | None:
        """Return what a folder belongs to: see `owner_id`; None if that is not known."""

    def has_entries(self, key: str, least: int) -> bool:
        """Whether a folder has at least so many files and folders; the key "" is the root."""


def owner_id(
    item_type: str, item_id: str, album_id: str | None, series_id: str | None
) -> str | None:
    """Return what the folder of a file belongs to: an album, a series or the film itself."""
    if item_type in WITH_OWN_FOLDER:
        return item_id
    return series_id if item_type == ItemType.EPISODE else album_id


def find_paths(
    item: Item, there: FoldersThere, shape: NameLimits = ANY, group: Group = ALONE
) -> Iterator[str]:
    """Yield paths of an item's file on a device, the best first; the last one is unique."""
    return find_named_paths(item, build_names(item, shape, group), there, shape)


def find_named_paths(
    item: Item, names: FileNames, there: FoldersThere, shape: NameLimits
) -> Iterator[str]:
    """Do the same with names that are known already."""
    above = _Search(item, there, shape).find(names.folders)
    path = names.in_folder(above)
    if item.type in WITH_OWN_FOLDER:
        folder = make_path_key(above[:-1])
        if there.spelling(folder) is None or there.owner(folder) == item.id:
            yield path
        yield build_separate_path(path, item.id)
        return
    yield path
    yield build_distinct_path(path, item.id)


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for the folder of one file."""

    item: Item
    there: FoldersThere
    shape: NameLimits

    def find(self, names: Sequence[str]) -> str:
        """Return the path of the folder, with the last `/`."""
        found = self._find_in_more(names) or self._descend("", names, 0)
        volumes = count(1)
        while found is None:
            found = self._descend(f"{_number(MORE, next(volumes))}/", names, 0)
        return found

    def _find_in_more(self, names: Sequence[str]) -> str | None:
        """Return a folder of this album that is below `More` already."""
        if self.shape.most_in_folder is None or self._owner is None:
            return None
        for volume in count(1):
            above = f"{_number(MORE, volume)}/"
            if self.there.spelling(make_path_key(above[:-1])) is None:
                return None
            if self.there.owner(make_path_key(above + "/".join(names))) == self._owner:
                return self._descend(above, names, 0)
        return None

    def _descend(self, above: str, names: Sequence[str], depth: int) -> str | None:
        """Return the path of the folder; None if what it needs has no room in `above`."""
        if depth == len(names):
            return None if self._is_full(above, for_files=True) else above
        for volume in count(1):
            name = self._name(above, names[depth], volume, is_owned=depth == self._owned_depth)
            if name is None:
                continue
            spelling = self.there.spelling(make_path_key(above + name))
            if spelling is None and self._is_full(above):
                return None
            found = self._descend(f"{above}{spelling or name}/", names, depth + 1)
            if found is not None:
                return found
        return None

    def _name(self, above: str, name: str, volume: int, *, is_owned: bool) -> str | None:
        """Return the name of a folder; None if the one of this number is another album's."""
        if not is_owned or self._owner is None or self.item.type in WITH_OWN_FOLDER:
            return _number(name, volume)
        if self._is_anothers(above + name):
            spelling = self.there.spelling(make_path_key(above + name)) or name
            return _number(mark_folder(spelling, self._owner), volume)
        numbered = _number(name, volume)
        return None if self._is_anothers(above + numbered) else numbered

    def _is_anothers(self, path: str) -> bool:
        return self.there.owner(make_path_key(path)) not in {None, self._owner}

    def _is_full(self, above: str, *, for_files: bool = False) -> bool:
        most = self.shape.most_in_folder
        if most is None:
            return False
        if not above:
            most -= LEFT_FREE_IN_ROOT
        elif for_files and self.shape.beside_each:
            # With their companions, and one cover.
            most = (most - 1) // (1 + self.shape.beside_each)
        return self.there.has_entries(make_path_key(above[:-1]), most)

    @property
    def _owner(self) -> str | None:
        item = self.item
        return owner_id(item.type, item.id, item.album_id, item.series_id)

    @property
    def _owned_depth(self) -> int:
        """Return the depth of the folder that belongs to an album or series alone."""
        is_deep = self.shape.layout is Layout.DEEP
        return 1 if is_deep and self.item.type is not ItemType.EPISODE else 0


@dataclass(slots=True)
class PlannedFolders:
    """The folders of a plan, in memory. Implements `FoldersThere`."""

    _spellings: dict[str, str] = field(default_factory=dict)
    _owners: dict[str, str | None] = field(default_factory=dict)
    _entries: dict[str, set[str]] = field(default_factory=dict)

    def add(self, path: str, owner: str | None) -> None:
        """Add a file."""
        names = path.split("/")
        for depth in range(1, len(names) + 1):
            key, above = (make_path_key("/".join(names[:to])) for to in (depth, depth - 1))
            self._entries.setdefault(above, set()).add(key)
            if depth < len(names):
                self._spellings.setdefault(key, names[depth - 1])
                self._owners.setdefault(key, owner)

    def spelling(self, key: str) -> str | None:
        """Return how a folder is spelled, without those above it; None if there is none."""
        return self._spellings.get(key)

    def owner(self, key: str) -> str | None:
        """Return what a folder belongs to; None if that is not known."""
        return self._owners.get(key)

    def has_entries(self, key: str, least: int) -> bool:
        """Whether a folder has at least so many files and folders; the key "" is the root."""
        return len(self._entries.get(key, ())) >= least


def _number(name: str, volume: int) -> str:
    return name if volume == 1 else f"{name} {volume}"
