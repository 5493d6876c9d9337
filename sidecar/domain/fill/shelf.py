"""The items that may fill a device, numbered, with the groups that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An item that may fill a device.

    Attributes:
        size: Bytes.
        seconds: Its length; None if unknown.
        album_id, artist, genre: What it belongs to; None if unknown.
        added: The day when it came to the library, as `date.toordinal` numbers it; None if unknown.
        similar: The ids of items that the server calls similar, or mixes with it; each once.
    """

    id: str
    title: str
    size: int
    seconds: float | None = None
    album_id: str | None = None
    album: str | None = None
    artist: str | None = None
    genre: str | None = None
    added: int | None = None
    similar: tuple[str, ...] = ()


class Groups:
    """A division of the items: by album, by artist, by genre.

    Attributes:
        of: For each item the number of its group; None without one.
        members: For each group the numbers of its items.
    """

    def __init__(self, keys: Sequence[str | None]) -> None:
        numbers: dict[str, int] = {}
        self.of: list[int | None] = []
        self.members: list[list[int]] = []
        for item, key in enumerate(keys):
            if not key:
                self.of.append(None)
                continue
            group = numbers.setdefault(key, len(numbers))
            if group == len(self.members):
                self.members.append([])
            self.members[group].append(item)
            self.of.append(group)


class Shelf:
    """All candidates, each with a number: its place in `items`."""

    def __init__(self, items: Iterable[Candidate]) -> None:
        self.items: tuple[Candidate, ...] = tuple({one.id: one for one in items}.values())
        self.number: dict[str, int] = {one.id: n for n, one in enumerate(self.items)}
        # At least one, to divide by.
        self.sizes: tuple[int, ...] = tuple(max(1, one.size) for one in self.items)
        self.albums = Groups([one.album_id for one in self.items])
        self.artists = Groups([one.artist for one in self.items])
        self.genres = Groups([one.genre for one in self.items])
        kinds: dict[tuple[int | None, int | None, int | None], int] = {}
        triples = zip(self.albums.of, self.artists.of, self.genres.of, strict=True)
        # Most items share album, artist and genre with others: what these say is computed once.
        self.kind_of: list[int] = [kinds.setdefault(one, len(kinds)) for one in triples]
        self.kinds: tuple[tuple[int | None, int | None, int | None], ...] = tuple(kinds)
