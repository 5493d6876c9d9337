"""A library for rules, made of values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.selection import Selection
from sidecar.domain.playback.sessions import NowPlaying, QueueEntry, Repeat
from sidecar.domain.rules.context import Chosen, Context, KeptSelection, S
from sidecar.domain.rules.library import ListedItems
from sidecar.domain.wishes import Hold, Reason
from tests.fakes.clock import START

ANN = "a" * 32
STICK = "stick"


def named(name: str) -> str:
    """Return an id that is the same for the same name."""
    return name.encode().hex().ljust(32, "0")[:32]


def song(name: str, album: str = "First Light", **facts: object) -> Item:
    values: dict[str, object] = {
        "id": named(name),
        "type": ItemType.AUDIO,
        "title": name,
        "album": album,
        "album_id": named(album),
        "seconds": 120.0,
    }
    return Item(**{**values, **facts})  # type: ignore[arg-type]


def episode(number: int, *, is_played: bool = False, **facts: object) -> Item:
    values: dict[str, object] = {
        "id": named(f"episode {number}"),
        "type": ItemType.EPISODE,
        "title": f"Part {number}",
        "series": "The Signal",
        "series_id": named("The Signal"),
        "number": number,
        "is_played": is_played,
    }
    return Item(**{**values, **facts})  # type: ignore[arg-type]


def part(number: int, book: str = "A Book", *, is_played: bool = False) -> Item:
    return Item(
        id=named(f"{book} {number}"),
        type=ItemType.AUDIO_BOOK,
        title=f"Chapter {number}",
        album=book,
        album_id=named("folder"),
        number=number,
        is_played=is_played,
    )


def full(*items: Item) -> ListedItems:
    return ListedItems(items, complete=True)


@dataclass
class RuleLibrary:
    """Answers at once from what it was given.

    Unlike the real one it never fails, forgets nothing, and takes plays of any age.
    """

    known: dict[str, Item] = field(default_factory=dict)
    lists: dict[str, ListedItems] = field(default_factory=dict)
    up: ListedItems = field(default_factory=ListedItems)
    books: ListedItems = field(default_factory=ListedItems)
    newest: ListedItems = field(default_factory=ListedItems)
    heard: dict[str, frozenset[str]] = field(default_factory=dict)
    asked_since: list[datetime] = field(default_factory=list)

    def items(self, ids: Collection[str]) -> Mapping[str, Item]:
        return {one: self.known[one] for one in ids if one in self.known}

    visible_items = items

    def album_tracks(self, album_id: str) -> ListedItems:
        return self.lists.get(album_id, ListedItems())

    playlist_items = album_tracks
    book_parts = album_tracks

    def contents(self, kind: ItemType, item_id: str) -> ListedItems:
        return self.album_tracks(item_id)

    def selected(self, asked: Selection, seed: str, now: datetime) -> ListedItems:
        return self.album_tracks(seed)

    def episodes_from(self, series_id: str, episode_id: str) -> ListedItems:
        listed = self.lists.get(series_id, ListedItems())
        ids = [one.id for one in listed.items]
        if episode_id not in ids:
            return ListedItems()
        return ListedItems(listed.items[ids.index(episode_id) :], complete=listed.complete)

    def next_up(self) -> ListedItems:
        return self.up

    def books_begun(self) -> ListedItems:
        return self.books

    def latest_albums(self, count: int) -> ListedItems:
        return ListedItems(self.newest.items[:count], complete=self.newest.complete)

    def heard_in_album(self, album_id: str, since: datetime) -> frozenset[str]:
        return self.heard.get(album_id, frozenset())

    def albums_heard(self, since: datetime) -> frozenset[str]:
        self.asked_since.append(since)
        return frozenset(self.heard)


def context(
    settings: S,
    shelf: RuleLibrary,
    *,
    playing: tuple[NowPlaying, ...] = (),
    held: tuple[Hold, ...] = (),
    chosen: tuple[Chosen, ...] = (),
    selections: tuple[KeptSelection, ...] = (),
    after: timedelta = timedelta(0),
) -> Context[S]:
    return Context(
        user_id=ANN,
        device_id=STICK,
        settings=settings,
        now=START + after,
        library=shelf,
        playing=playing,
        held=held,
        chosen=chosen,
        selections=selections,
    )


def hold(item_id: str, source_id: str, rule: str = "any") -> Hold:
    return Hold(1, ANN, STICK, item_id, Reason(rule, source_id, ""), None)


def plays(
    item: Item,
    *queue: Item,
    entry: str | None = None,
    repeat: Repeat = Repeat.NONE,
    shuffled: bool = False,
    session: str = "s1",
) -> NowPlaying:
    """Return a client that plays an item; `queue` is what it tells, from that item on."""
    return NowPlaying(
        session_id=session,
        user_id=ANN,
        item=item,
        playlist_item_id=entry or "playlistItem0",
        device_name="Firefox",
        repeat=repeat,
        is_shuffled=shuffled,
        checked_in=START,
        queue=tuple(QueueEntry(one.id, None) for one in queue),
    )
