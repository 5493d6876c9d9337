"""Browses the Jellyfin library for people, each with their own account.

An item that the account cannot see is answered like one that does not exist.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import TypeVar

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download
from sidecar.domain.items.item import PLAYABLE, Item
from sidecar.domain.items.kinds import Kind
from sidecar.domain.player_logs.states import UserState
from sidecar.domain.undo import MarkBefore, Reversal
from sidecar.errors import JellyfinError, NotAllowed, NotFound, NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.browse import BrowseEntry, BrowseQuery, Browser, BrowseSort
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.services.accounts.person import Person
from sidecar.services.library.covers import Cover, CoverCache
from sidecar.services.library.download_state import DownloadStates, ItemDownloadState
from sidecar.services.library.memory import ShortMemory

__all__ = [
    "BrowseEntry",
    "BrowseQuery",
    "BrowseSort",
    "LibraryBrowser",
    "LibraryEntry",
    "LibraryPage",
]

EXPANDABLE = frozenset(
    {Kind.ARTIST, Kind.ALBUM, Kind.PLAYLIST, Kind.SERIES, Kind.SEASON, Kind.COLLECTION}
)


T = TypeVar("T")
# How long an item that was shown counts as visible, for its cover.
SEEN_FOR_S = 300.0
MOST_SEEN = 5000
# Longer lists are not kept: their buttons are updated only when the page is loaded.
MOST_FILES = 500
# Each is a request of its own when a mark on all of them is taken back.
MOST_UNDONE = 100


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An entry that was shown to an account.

    Attributes:
        files: The playable items in it; None if they are not known, or too many to keep.
        until: Until when it counts as fresh, in monotonic seconds.
    """

    entry: BrowseEntry
    files: Sequence[str] | None
    until: float


class RecentlyShown:
    """The entries that were shown to all accounts lately. Safe for many threads."""

    def __init__(self, clock: Clock) -> None:
        """Prepare."""
        self._clock = clock
        self._lock = Lock()
        self._seen: OrderedDict[tuple[str, str], tuple[BrowseEntry, float]] = OrderedDict()
        self._files: OrderedDict[tuple[str, str], Sequence[str] | None] = OrderedDict()

    def note(self, user_id: str, entry: BrowseEntry) -> None:
        """Record that an entry was shown to an account."""
        until = self._clock.monotonic() + SEEN_FOR_S
        self._put(self._seen, (user_id, entry.item.id), (entry, until))

    def note_files(self, user_id: str, item_id: str, files: Sequence[str]) -> None:
        """Record what is in an item, which is shown now or right afterwards."""
        kept = None if len(files) > MOST_FILES else tuple(files)
        self._put(self._files, (user_id, item_id), kept)

    def _put(self, where: OrderedDict[tuple[str, str], T], key: tuple[str, str], value: T) -> None:
        with self._lock:
            where.pop(key, None)
            where[key] = value
            while len(where) > MOST_SEEN:
                where.popitem(last=False)

    def of(self, user_id: str, item_id: str) -> ShownItem | None:
        """Return the entry that was shown to an account, however old; None if it is not kept."""
        key = user_id, item_id
        with self._lock:
            found = self._seen.get(key)
            return None if found is None else ShownItem(found[0], self._files.get(key), found[1])

    def fresh(self, user_id: str, item_id: str) -> ShownItem | None:
        """Return the same if it is fresh; None if Jellyfin has to be asked again."""
        found = self.of(user_id, item_id)
        return found if found is not None and found.until >= self._clock.monotonic() else None


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """An entry, and its download button for each device; None if that was not looked up."""

    entry: BrowseEntry
    buttons: Sequence[ItemDownloadState] | None


@dataclass(frozen=True, slots=True)
class LibraryPage:
    """One page of a list, and the number of entries on all pages, as Jellyfin counts."""

    items: Sequence[LibraryEntry]
    total: int
    page: int
    page_size: int


class LibraryBrowser:
    """Lists and shows items of the library for a person. Safe for many threads.

    The methods raise `NotVisible` for what does not exist or this person's account cannot see,
    and `JellyfinError` if Jellyfin cannot be asked.
    """

    def __init__(
        self,
        *,
        client: Callable[[str], Jellyfin],
        buttons: DownloadStates,
        covers: CoverCache,
        clock: Clock,
    ) -> None:
        """Prepare; `client` returns the Jellyfin client of an account, or raises `SignedOut`."""
        self._client = client
        self._buttons = buttons
        self._covers = covers
        self._recent = RecentlyShown(clock)
        self._memory = ShortMemory(clock)

    def listed(self, person: Person, asked: BrowseQuery) -> LibraryPage:
        """Return one page of a list; only files and albums get buttons."""
        place = self._recent.fresh(person.user_id, asked.parent) if asked.parent else None
        if place is not None:
            asked = replace(asked, parent_kind=place.entry.kind)
        try:
            found = Browser(self._client(person.user_id)).page(asked)
        except (NotFound, NotAllowed):
            raise NotVisible from None
        entries = self._with_pictures(person, found.entries)
        for one in entries:
            self._recent.note(person.user_id, one)
        return LibraryPage(
            self._with_buttons(person, entries), found.total, asked.page, asked.page_size
        )

    def next_up(self, person: Person, series_id: str) -> LibraryEntry | None:
        """Return the episode that the person watches next of a series; None if all were seen."""
        try:
            entry = Browser(self._client(person.user_id)).next_up(series_id)
        except (NotFound, NotAllowed):
            raise NotVisible from None
        if entry is None:
            return None
        self._recent.note(person.user_id, entry)
        return self._with_buttons(person, [entry])[0]

    def continued(self, person: Person, most: int) -> Sequence[LibraryEntry]:
        """Return what the person goes on with: what was begun, then the next of each series."""
        entries = Browser(self._client(person.user_id)).continued(most)
        for one in entries:
            self._recent.note(person.user_id, one)
        return self._with_buttons(person, entries)

    def _with_buttons(
        self, person: Person, entries: Sequence[BrowseEntry]
    ) -> Sequence[LibraryEntry]:
        buttons = self._of_entries(person, entries)
        return [LibraryEntry(one, buttons.get(one.item.id)) for one in entries]

    def genres(self, person: Person, kinds: Collection[Kind]) -> Sequence[str]:
        """Return the names of the genres of these kinds of items."""
        browser = Browser(self._client(person.user_id))

        def ask() -> Sequence[str]:
            return sorted({name for one in kinds for name in browser.genres(one)})

        return self._memory.get(("genres", person.user_id, *sorted(kinds)), ask)

    def _with_pictures(self, person: Person, entries: Sequence[BrowseEntry]) -> list[BrowseEntry]:
        """Give artists and libraries without a picture that of something in them."""
        bare = [one for one in entries if one.item.image_item_id is None]
        artists = [one.item.id for one in bare if one.kind is Kind.ARTIST]
        libraries = [one.item.id for one in bare if one.kind is Kind.VIEW]
        if not artists and not libraries:
            return list(entries)
        browser = Browser(self._client(person.user_id))
        found: dict[str, Item | None] = {}
        try:
            for one in libraries:
                found[one] = self._memory.get(
                    ("picture", person.user_id, one), partial(browser.picture_of_library, one)
                )
            if artists:
                found |= self._memory.get(
                    ("pictures", person.user_id, *artists),
                    partial(browser.pictures_of_artists, artists),
                )
        except JellyfinError:
            # A list without pictures is better than none.
            return list(entries)
        return [_pictured(one, found.get(one.item.id)) for one in entries]

    def show(self, person: Person, item_id: str) -> LibraryEntry:
        """Return one entry with its buttons."""
        entry = self._one(person, item_id)
        if entry.item.type not in PLAYABLE and entry.kind not in EXPANDABLE:
            return LibraryEntry(entry, None)
        files = self._files(person, entry)
        types = {item_id: entry.item.type}
        return LibraryEntry(entry, self._buttons.of_files(person, {item_id: files}, types)[item_id])

    def again(self, person: Person, item_ids: Collection[str]) -> Sequence[LibraryEntry]:
        """Return entries that were shown to this person lately, with their present buttons.

        Does not ask Jellyfin. Entries that were not shown, or are not kept any more, are left out.
        """
        seen = [one for item in item_ids if (one := self._recent.of(person.user_id, item))]
        files = {one.entry.item.id: one.files for one in seen if one.files is not None}
        rest = [one.entry for one in seen if one.files is None]
        types = {one.entry.item.id: one.entry.item.type for one in seen}
        known = self._buttons.of_files(person, files, types) if files else {}
        buttons = {**self._of_entries(person, rest), **known}
        return [LibraryEntry(one.entry, buttons.get(one.entry.item.id)) for one in seen]

    def downloads(self, person: Person, item_id: str, device_id: str) -> Sequence[Download]:
        """Return the downloads of all files of an item on a device, as far as they are theirs."""
        _, files = self.files(person, item_id)
        return self._buttons.downloads(person, device_id, files)

    def files(self, person: Person, item_id: str) -> tuple[BrowseEntry, Sequence[str]]:
        """Return an entry and the ids of the playable items in it."""
        seen = self._recent.of(person.user_id, item_id)
        entry = seen.entry if seen else self._one(person, item_id)
        known = seen.files if seen else None
        return entry, self._files(person, entry) if known is None else known

    def look_into(self, person: Person, item_ids: Collection[str]) -> None:
        """Ask Jellyfin what is in containers whose buttons are not known, to show them from now."""
        for item_id in item_ids:
            seen = self._recent.of(person.user_id, item_id)
            is_told = seen is None or seen.entry.item.type in PLAYABLE
            if not is_told and seen and seen.files is None and seen.entry.kind is not Kind.ALBUM:
                self.show(person, item_id)

    def cover(self, person: Person, item_id: str, width: int) -> Cover:
        """Return an item's cover, at least `width` pixels wide if the server has it so wide."""
        seen = self._recent.fresh(person.user_id, item_id)
        item = seen.entry.item if seen else self._one(person, item_id).item
        if item.image_item_id is None or item.image_tag is None:
            raise NotVisible
        where = item.image_item_id, item.image_tag
        try:
            return self._covers.picture(self._client(person.user_id), *where, width)
        except (NotFound, NotAllowed):
            raise NotVisible from None

    def heart(self, person: Person, item_id: str, *, value: bool) -> bool:
        """Set or clear an item as favourite in Jellyfin; return the value the server reports."""
        try:
            pressed = self._client(person.user_id).set_favourite(item_id, value=value)
        except (NotFound, NotAllowed):
            raise NotVisible from None
        self._note_mark(person.user_id, item_id, partial(_with_heart, value=pressed))
        return pressed

    def mark_favourite(self, person: Person, item_id: str, *, value: bool) -> Reversal | None:
        """Set or clear an item as favourite in Jellyfin.

        Returns:
            How to undo it; None if it was so already, whatever a page had shown.
        """
        try:
            before = PlayStates(self._client(person.user_id)).state(item_id).is_favourite
        except (NotFound, NotAllowed):
            raise NotVisible from None
        self.heart(person, item_id, value=value)
        if before == value:
            return None
        mark = MarkBefore(user_id=person.user_id, item_id=item_id, is_favourite=before)
        return Reversal(marks=(mark,))

    def mark_played(self, person: Person, item_id: str, *, value: bool) -> Reversal | None:
        """Mark an item and all that is in it as played, or as not played, in Jellyfin.

        Returns:
            How to undo it, with positions, counts and dates; None for what is too much.
        """
        _, files = self.files(person, item_id)
        marks = PlayStates(self._client(person.user_id))
        try:
            before = marks.states(files) if len(files) <= MOST_UNDONE else {}
            marks.tick(item_id, value=value)
        except (NotFound, NotAllowed):
            raise NotVisible from None
        ticked = partial(_with_tick, value=value, files=len(files))
        self._note_mark(person.user_id, item_id, ticked)
        within = None if files == [item_id] else item_id
        changed = [
            MarkBefore(
                user_id=person.user_id, item_id=one, played=state, within=within, ticked=value
            )
            for one, state in before.items()
            if state.is_played != value or state.position_s
        ]
        return Reversal(marks=tuple(changed)) if before else None

    def restore_marks(self, marks: Collection[MarkBefore]) -> int:
        """Set hearts and played marks in Jellyfin as they were, each for its own account.

        Returns:
            How many were played or marked otherwise since: those stay as they are.

        Raises:
            errors.JellyfinError: Jellyfin cannot be asked, or refuses; it can be tried again.
        """
        left = 0
        for one in marks:
            if one.is_favourite is not None:
                self._client(one.user_id).set_favourite(one.item_id, value=one.is_favourite)
                restored = partial(_with_heart, value=one.is_favourite)
                self._note_mark(one.user_id, one.item_id, restored)
            if one.played is not None:
                states = PlayStates(self._client(one.user_id))
                now = states.state(one.item_id)
                if now.is_played != one.ticked or now.position_s:
                    left += now != replace(one.played, is_favourite=now.is_favourite)
                    continue
                if one.played.last is None and now.last is not None:
                    # A date is taken away only with all else.
                    states.tick(one.item_id, value=False)
                    now = states.state(one.item_id)
                states.change(one.item_id, now, replace(one.played, is_favourite=now.is_favourite))
                self._note_mark(one.user_id, one.item_id, partial(_with_state, state=one.played))
        for user_id, place in {(one.user_id, one.within) for one in marks if one.within}:
            self._recent.note(user_id, Browser(self._client(user_id)).get(place))
        return left

    def _note_mark(
        self, user_id: str, item_id: str, change: Callable[[BrowseEntry], BrowseEntry]
    ) -> None:
        """Let what was shown say what has been marked since, without asking Jellyfin again."""
        seen = self._recent.of(user_id, item_id)
        if seen is not None:
            self._recent.note(user_id, change(seen.entry))

    def _one(self, person: Person, item_id: str) -> BrowseEntry:
        try:
            entry = Browser(self._client(person.user_id)).get(item_id)
        except (NotFound, NotAllowed):
            raise NotVisible from None
        [entry] = self._with_pictures(person, [entry])
        self._recent.note(person.user_id, entry)
        return entry

    def _files(self, person: Person, entry: BrowseEntry) -> list[str]:
        if entry.item.type in PLAYABLE:
            return [entry.item.id] if entry.item.is_playable else []
        try:
            listing = self._client(person.user_id).expand(entry.item)
        except (NotFound, NotAllowed):
            return []
        files = list(dict.fromkeys(one.id for one in listing.items))
        self._recent.note_files(person.user_id, entry.item.id, files)
        if entry.kind is Kind.SERIES:
            # Its seasons are listed below it, and say how much of them is where.
            seasons: dict[str, list[str]] = {}
            for one in listing.items:
                if one.season_id is not None:
                    seasons.setdefault(one.season_id, []).append(one.id)
            for season_id, episodes in seasons.items():
                self._recent.note_files(person.user_id, season_id, episodes)
        return files

    def _of_entries(
        self, person: Person, entries: Sequence[BrowseEntry]
    ) -> Mapping[str, list[ItemDownloadState]]:
        files: dict[str, Sequence[str]] = {
            one.item.id: [one.item.id] for one in entries if one.item.is_playable
        }
        for one in entries:
            seen = self._recent.fresh(person.user_id, one.item.id)
            if one.kind in EXPANDABLE - {Kind.ALBUM} and seen and seen.files is not None:
                files[one.item.id] = seen.files
        albums = {one.item.id: one.children for one in entries if one.kind is Kind.ALBUM}
        types = {one.item.id: one.item.type for one in entries}
        unknown = {one: name for one, name in types.items() if one not in {*files, *albums}}
        return {
            **(self._buttons.not_taken(person, unknown) if unknown else {}),
            **(self._buttons.of_files(person, files, types) if files else {}),
            **(self._buttons.of_albums(person, albums) if albums else {}),
        }


def _with_heart(entry: BrowseEntry, *, value: bool) -> BrowseEntry:
    return replace(entry, item=replace(entry.item, is_favorite=value))


def _with_tick(entry: BrowseEntry, *, value: bool, files: int) -> BrowseEntry:
    unplayed = None if entry.unplayed is None else 0 if value else files
    item = replace(entry.item, is_played=value)
    return replace(entry, item=item, unplayed=unplayed, stopped_s=0.0)


def _with_state(entry: BrowseEntry, *, state: UserState) -> BrowseEntry:
    item = replace(entry.item, is_played=state.is_played)
    return replace(entry, item=item, stopped_s=state.position_s)


def _pictured(entry: BrowseEntry, other: Item | None) -> BrowseEntry:
    """Return an entry that has no picture with that of another item."""
    if other is None or entry.item.image_item_id is not None:
        return entry
    item = replace(entry.item, image_item_id=other.image_item_id, image_tag=other.image_tag)
    return replace(entry, item=item)
