"""Selections: filters of a library that people save, and what they take of it.

    the server filters ─▶ in its order, up to a `Cut` ─▶ what `finish` takes

The server has no filter for the time an item was added or heard last: those lists are read in that
order, up to the first item that is past it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sidecar.domain.items.item import Item
from sidecar.domain.items.kinds import Kind

# The kinds that have files of their own.
SELECTABLE = (
    Kind.TRACK,
    Kind.AUDIOBOOK,
    Kind.FILM,
    Kind.EPISODE,
    Kind.MUSIC_VIDEO,
    Kind.VIDEO,
)
FIRST_YEAR, LAST_YEAR = 1900, 2040
_NEVER = datetime.fromtimestamp(0, UTC)


class SelectionOrder(StrEnum):
    """What comes first, where a limit ends the list."""

    NAME = "name"
    ADDED = "added"
    YEAR = "year"
    UNHEARD = "unheard"
    HEARD = "heard"
    RATING = "rating"
    SHUFFLED = "shuffled"


@dataclass(frozen=True, slots=True)
class Named:
    """A library or an artist, with the name from when it was chosen."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A filter of the library. What is empty or None narrows nothing down; all else must fit.

    Attributes:
        kinds: At least one of `SELECTABLE`.
        libraries: Only these whole libraries.
        artists: Only what is filed under one of these.
        genres, tags: Only what has one of them.
        text: Part of the name.
        first_year, last_year: Only what is of these years or between them.
        added_days: Only what was added to the library within so many days.
        unheard_days: Only what was not played for so many days, or never.
        is_unheard: Only what was never played.
        is_hearted: Only favourites.
        least_rating: Only what the community rates so high, of ten.
        order: What comes first; counts where one of the limits is set.
        most_files, most_bytes, most_seconds: The list ends before it would have more.
    """

    kinds: frozenset[Kind] = frozenset({Kind.TRACK})
    libraries: tuple[Named, ...] = ()
    artists: tuple[Named, ...] = ()
    genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    text: str = ""
    first_year: int | None = None
    last_year: int | None = None
    added_days: int | None = None
    unheard_days: int | None = None
    is_unheard: bool = False
    is_hearted: bool = False
    least_rating: float | None = None
    order: SelectionOrder = SelectionOrder.NAME
    most_files: int | None = None
    most_bytes: int | None = None
    most_seconds: int | None = None

    @property
    def years(self) -> range:
        """All years that it takes, as the server wants them one by one; empty means any."""
        if self.first_year is None and self.last_year is None:
            return range(0)
        first = FIRST_YEAR if self.first_year is None else self.first_year
        last = LAST_YEAR if self.last_year is None else self.last_year
        # Turned around it is still meant as what is between.
        return range(min(first, last), max(first, last) + 1)

    @property
    def reading_order(self) -> SelectionOrder:
        """The order in which the server is to list, so that reading can end early."""
        if self.added_days is not None:
            return SelectionOrder.ADDED
        if self.unheard_days is not None:
            return SelectionOrder.UNHEARD
        return SelectionOrder.NAME if self.order is SelectionOrder.SHUFFLED else self.order

    @property
    def is_read_in_order(self) -> bool:
        """Whether the server lists in the order that is wanted."""
        return self.reading_order is self.order

    @property
    def is_listed_in_order(self) -> bool:
        """Whether all that is read is in the order that is wanted: it is one list in that order."""
        return self.is_read_in_order and len(self.libraries) <= 1

    @property
    def is_limited(self) -> bool:
        """Whether the list may end before all that fits is on it."""
        return not self.most_files is self.most_bytes is self.most_seconds is None

    @property
    def depends_on_listening(self) -> bool:
        """Whether a play or a favourite of the account may change what it takes."""
        of_listening = self.order in {SelectionOrder.UNHEARD, SelectionOrder.HEARD}
        is_ordered = self.is_limited and of_listening
        return is_ordered or self.is_unheard or self.is_hearted or self.unheard_days is not None

    @property
    def needs_sizes(self) -> bool:
        """Whether the size of each file has to be known."""
        return self.most_bytes is not None

    def begin(self, now: datetime) -> Cut:
        """Return where reading ends, for a list that is read from its beginning."""
        return Cut(self, now)

    def fits(self, item: Item, now: datetime) -> bool:
        """Whether an item that the server listed fits what the server has no filter for."""
        if not item.is_playable:
            return False
        if self.most_bytes is not None and (item.size or 0) > self.most_bytes:
            return False
        return not self._is_too_old(item, now) and not self._is_heard_too_lately(item, now)

    def is_past(self, item: Item, now: datetime) -> bool:
        """Whether nothing that comes after an item in the reading order can fit."""
        match self.reading_order:
            case SelectionOrder.ADDED:
                return self._is_too_old(item, now)
            case SelectionOrder.UNHEARD:
                return self._is_heard_too_lately(item, now)
            case _:
                return False

    def finish(self, items: Iterable[Item], now: datetime, seed: str = "") -> tuple[Item, ...]:
        """Return what is taken of what was read, in order; `seed` makes one's own shuffle."""
        found = list({one.id: one for one in items if self.fits(one, now)}.values())
        if not self.is_listed_in_order:
            key, is_backwards = _KEYS[self.order]
            if self.order is SelectionOrder.SHUFFLED:
                found.sort(key=lambda one: (zlib.crc32(f"{seed}{one.id}".encode()), one.id))
            else:
                found.sort(key=key, reverse=is_backwards)
        limit = _Limit(self)
        taken: list[Item] = []
        for one in found:
            if not limit.takes(one):
                break
            taken.append(one)
        return tuple(taken)

    def _is_too_old(self, item: Item, now: datetime) -> bool:
        if self.added_days is None:
            return False
        return item.added_at is None or item.added_at < now - timedelta(days=self.added_days)

    def _is_heard_too_lately(self, item: Item, now: datetime) -> bool:
        if self.unheard_days is None or item.heard_at is None:
            return False
        return item.heard_at > now - timedelta(days=self.unheard_days)


class _Limit:
    """Counts what was taken, up to the limits."""

    def __init__(self, asked: Selection) -> None:
        self._asked = asked
        self._files, self._bytes, self._seconds = 0, 0, 0.0

    def takes(self, item: Item) -> bool:
        """Whether one more is within the limits; it counts from then on."""
        self._files += 1
        self._bytes += item.size or 0
        self._seconds += item.seconds or 0.0
        asked = self._asked
        return (
            (asked.most_files is None or self._files <= asked.most_files)
            and (asked.most_bytes is None or self._bytes <= asked.most_bytes)
            and (asked.most_seconds is None or self._seconds <= asked.most_seconds)
        )


class Cut:
    """Says of each item of a list, in turn, whether reading ends before it."""

    def __init__(self, asked: Selection, now: datetime) -> None:
        """Begin; see `Selection.begin`."""
        self._asked = asked
        self._now = now
        self._limit = _Limit(asked) if asked.is_limited and asked.is_read_in_order else None

    def __call__(self, item: Item) -> bool:
        """Return whether nothing from this item on is taken."""
        if self._asked.is_past(item, self._now):
            return True
        if self._limit is None or not self._asked.fits(item, self._now):
            return False
        return not self._limit.takes(item)


_Key = Callable[[Item], Any]
_KEYS: Mapping[SelectionOrder, tuple[_Key, bool]] = MappingProxyType(
    {
        SelectionOrder.NAME: (lambda one: (one.title.casefold(), one.id), False),
        SelectionOrder.ADDED: (lambda one: (one.added_at or _NEVER, one.id), True),
        SelectionOrder.YEAR: (lambda one: (one.year or 0, one.id), True),
        SelectionOrder.UNHEARD: (lambda one: (one.heard_at or _NEVER, one.id), False),
        SelectionOrder.HEARD: (lambda one: (one.times_heard, one.id), True),
        SelectionOrder.RATING: (lambda one: (one.rating or 0.0, one.id), True),
        SelectionOrder.SHUFFLED: (lambda one: one.id, False),
    }
)
