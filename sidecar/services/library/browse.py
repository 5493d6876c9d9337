"""Browses the Jellyfin library for people, each with their own account.

An item that the account cannot see is answered like one that does not exist.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download
from sidecar.domain.items.item import PLAYABLE, Item
from sidecar.domain.items.kinds import Kind
from sidecar.errors import JellyfinError, NotAllowed, NotFound, NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.browse import BrowseEntry, BrowseQuery, Browser, BrowseSort
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


# How long an item that was shown counts as visible, for its cover.
SEEN_FOR_S = 300.0
MOST_SEEN = 5000
# Longer lists are not kept: their buttons are updated only when the page is loaded.
MOST_FILES = 500


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
        self._seen: OrderedDict[tuple[str, str], ShownItem] = OrderedDict()

    def note(self, user_id: str, entry: BrowseEntry, files: Sequence[str] | None = None) -> None:
        """Record that an entry was shown to an account."""
        kept = None if files is None or len(files) > MOST_FILES else tuple(files)
        with self._lock:
            before = self._seen.pop((user_id, entry.item.id), None)
            if files is None and before is not None:
                kept = None if before.files is None else tuple(before.files)
            until = self._clock.monotonic() + SEEN_FOR_S
            self._seen[user_id, entry.item.id] = ShownItem(entry, kept, until)
            while len(self._seen) > MOST_SEEN:
                self._seen.popitem(last=False)

    def of(self, user_id: str, item_id: str) -> ShownItem | None:
        """Return the entry that was shown to an account, however old; None if it is not kept."""
        with self._lock:
            return self._seen.get((user_id, item_id))

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
        try:
            found = Browser(self._client(person.user_id)).page(asked)
        except (NotFound, NotAllowed):
            raise NotVisible from None
        entries = self._with_pictures(person, found.entries)
        for one in entries:
            self._recent.note(person.user_id, one)
        buttons = self._of_entries(person, entries)
        items = [LibraryEntry(one, buttons.get(one.item.id)) for one in entries]
        return LibraryPage(items, found.total, asked.page, asked.page_size)

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
        self._recent.note(person.user_id, entry, files)
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
            return self._client(person.user_id).set_favourite(item_id, value=value)
        except (NotFound, NotAllowed):
            raise NotVisible from None

    def _one(self, person: Person, item_id: str) -> BrowseEntry:
        try:
            entry = Browser(self._client(person.user_id)).get(item_id)
        except (NotFound, NotAllowed):
            raise NotVisible from None
        self._recent.note(person.user_id, entry)
        return entry

    def _files(self, person: Person, entry: BrowseEntry) -> list[str]:
        if entry.item.type in PLAYABLE:
            return [entry.item.id] if entry.item.is_playable else []
        try:
            listing = self._client(person.user_id).expand(entry.item)
        except (NotFound, NotAllowed):
            return []
        return list(dict.fromkeys(one.id for one in listing.items))

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
        found = self._buttons.of_files(person, files, types) if files else {}
        return {**found, **self._buttons.of_albums(person, albums)} if albums else found


def _pictured(entry: BrowseEntry, other: Item | None) -> BrowseEntry:
    """Return an entry that has no picture with that of another item."""
    if other is None or entry.item.image_item_id is not None:
        return entry
    item = replace(entry.item, image_item_id=other.image_item_id, image_tag=other.image_tag)
    return replace(entry, item=item)
