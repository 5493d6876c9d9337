"""Searches a device for files of the library that are not ours yet. Changes nothing.

    other files ─▶ compared by path ─▶ sizes equal: sure
                         └─▶ compared by tags ─▶ sure, or doubtful

Needs a listing of the library without sizes, and asks Jellyfin for the sizes of possible matches.
A file's tags are read only if its path does not decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sidecar.clock import Clock
from sidecar.confined.reader import ConfinedReader
from sidecar.device.folder import DeviceFolder
from sidecar.device.foreign.tags import read_tags
from sidecar.domain.adoption.matching import Guess, LibraryIndex, guess, is_media
from sidecar.domain.adoption.tags import FoundTags
from sidecar.domain.files.removals import FileStat, Stranger
from sidecar.domain.items.item import Item

MOST_FILES = 100_000
LONGEST_S = 20.0
# Characters of cached paths and tags of one device: enough for about 100,000 files.
MOST_LETTERS = 16_000_000
# A file of any size; `in` asks a range without walking it.
ANY_SIZE = range(1, 2**62)
ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Match:
    """A file and the item that it is, or may be."""

    file: Stranger
    item: Item
    is_sure: bool
    why: str

    @property
    def id(self) -> str:
        """Identifies the pair; changes when the file or the item does."""
        facts = self.file.facts
        named = f"{self.file.path}\0{facts.size}\0{facts.modified_ns}\0{self.item.id}"
        return hashlib.sha256(named.encode()).hexdigest()[:ID_DIGITS]


@dataclass(slots=True)
class Offer:
    """What was found on a device.

    Attributes:
        found: How many media files there are that are not ours.
        strangers: Paths of those that match nothing.
        devices: Folders that are devices themselves: nothing in there is offered.
        unread: How many files' tags there was no time to read.
    """

    found: int = 0
    sure: list[Match] = field(default_factory=list)
    doubtful: list[Match] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    unread: int = 0


@dataclass(slots=True)
class TagCache:
    """Caches the tags of the files of one device; a changed file is read again."""

    known: dict[tuple[str, FileStat], FoundTags] = field(default_factory=dict)
    letters: int = 0

    def of(self, folder: DeviceFolder, file: Stranger, reader: ConfinedReader) -> FoundTags:
        """Return the tags of a file.

        Raises:
            errors.DeviceError: It cannot be read.
        """
        key = (file.path, file.facts)
        tags = self.known.get(key)
        if tags is None:
            tags = read_tags(folder, file.path, reader)
            self.letters += sum(map(len, filter(None, (file.path, *tags.texts))))
            if self.letters <= MOST_LETTERS:
                self.known[key] = tags
        return tags


class LibraryFileScan:
    """One scan of one device for one account."""

    def __init__(
        self,
        folder: DeviceFolder,
        items: Callable[[Iterable[str]], Mapping[str, Item]],
        tags: TagCache,
        clock: Clock,
        *,
        longest_s: float | None = LONGEST_S,
    ) -> None:
        """Prepare.

        Args:
            folder: The device.
            items: Returns full items by their ids, as the account sees them.
            tags: What was read before.
            clock: For the time limit.
            longest_s: For how long tags are read; None reads all.
        """
        self._longest_s = longest_s
        self._folder = folder
        self._items = items
        self._tags = tags
        self._clock = clock
        self._full: dict[str, Item] = {}

    def find(
        self, everything: Iterable[Item], *, ours: Collection[str], taken: Collection[str]
    ) -> Offer:
        """Find the files that match items.

        Args:
            everything: All items of the library; sizes are not needed.
            ours: Paths that belong to downloads.
            taken: Items that have a file here already, or are just being fetched.

        Raises:
            errors.DeviceError, errors.JellyfinError: The device or the library cannot be read.
        """
        catalogue = LibraryIndex(one for one in everything if one.id not in taken)
        offer = Offer()
        every = self._folder.strangers(sizes=ANY_SIZE, known=ours, skip=offer.devices.append)
        files = sorted((one for one in every if is_media(one.path)), key=lambda one: one.path)
        offer.found = len(files)
        files = files[:MOST_FILES]
        placed = {one.path: catalogue.find_by_path(one.path) for one in files}
        self._describe(placed.values())
        rest = []
        for one in files:
            found = guess(one.path, one.facts.size, None, placed[one.path], self._full)
            if found is None:
                rest.append(one)
            else:
                _sort(offer, one, found)
        self._by_tags(offer, rest, catalogue, placed)
        _one_file_each(offer)
        return offer

    def _by_tags(
        self,
        offer: Offer,
        files: Sequence[Stranger],
        catalogue: LibraryIndex,
        placed: Mapping[str, Sequence[str]],
    ) -> None:
        began = self._clock.monotonic()
        read: list[tuple[Stranger, FoundTags, Sequence[str]]] = []
        waiting = iter(files)
        with ConfinedReader() as reader:
            for one in waiting:
                tags = self._tags.of(self._folder, one, reader)
                candidates = dict.fromkeys([*placed[one.path], *catalogue.find_by_title(tags)])
                read.append((one, tags, tuple(candidates)))
                passed = self._clock.monotonic() - began
                if self._longest_s is not None and passed >= self._longest_s:
                    break
        offer.unread = sum(1 for _ in waiting)
        self._describe(candidates for _, _, candidates in read)
        for file, tags, named in read:
            _sort(offer, file, guess(file.path, file.facts.size, tags, named, self._full))

    def _describe(self, ids: Iterable[Iterable[str]]) -> None:
        missing = {one for each in ids for one in each} - self._full.keys()
        if missing:
            self._full |= self._items(sorted(missing))


def _sort(offer: Offer, file: Stranger, found: Guess | None) -> None:
    if found is None:
        offer.strangers.append(file.path)
    elif found.is_sure:
        offer.sure.append(Match(file, found.items[0], is_sure=True, why=found.why))
    else:
        offer.doubtful += [
            Match(file, one, is_sure=False, why=found.why) for one in islice(found.items, 10)
        ]


def _one_file_each(offer: Offer) -> None:
    """Keep one file for each item; other files of it count as strangers."""
    taken: set[str] = set()
    sure = []
    for one in offer.sure:
        if one.item.id in taken:
            offer.strangers.append(one.file.path)
        else:
            taken.add(one.item.id)
            sure.append(one)
    offer.sure = sure
    offer.doubtful = [one for one in offer.doubtful if one.item.id not in taken]
