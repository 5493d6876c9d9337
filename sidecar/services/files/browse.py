"""Lists the files on the devices for a person, as files and as tiles, and pins or unpins them.

    rows of this person ─▶ holds ─▶ last plays ─▶ a check on the device ─▶ view

A tile is an album, a series or a film. Jellyfin is never asked: all works while it is away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sidecar.domain.downloads.download import Download
from sidecar.domain.files.tiles import SERIES, tile_key
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules.registry import RULE_OF
from sidecar.domain.undo import Reversal
from sidecar.domain.wishes import PIN, Hold
from sidecar.errors import NotVisible
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person, viewer
from sidecar.services.downloads.views import DownloadView
from sidecar.services.files.presence import FilePresence, Presence
from sidecar.services.files.search import FileQuery
from sidecar.services.rules.wishes import WishService
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.files.albums import Tile
from sidecar.store.stores import Stores


@dataclass(frozen=True, slots=True)
class KeepReason:
    """A rule that keeps a file for the person who asks.

    Attributes:
        source_id: What the rule is about: the item itself, its album, its artist …
        text: Why: "on your favourite album First Light".
        is_wide: The rule is about more than this item.
    """

    rule: str
    source_id: str
    text: str
    is_wide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file on a device, as a person sees it.

    Attributes:
        sight: Whether it was just found on its device.
        tile: The key of the tile that it belongs to.
        last_heard: When the person last played it (for an admin: when anybody did).
        was_used: It was played since it arrived.
        is_pinned: The person has pinned it.
        holdings: The rules that keep it for this person; it can be excluded from each.
    """

    view: DownloadView
    sight: Presence
    tile: str
    last_heard: datetime | None
    was_used: bool
    is_pinned: bool
    holdings: tuple[KeepReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileView:
    """An album, a series or a film.

    Attributes:
        title: None if it has no name of its own.
        newest: The file that arrived last, whose cover is shown.
        artist: None if there are several or none.
        files, bytes: Of the files that the person may see.
        items, devices: What these files are copies of, and on how many devices they are.
    """

    key: str
    title: str | None
    artist: str | None
    newest: DownloadView
    files: int
    bytes: int
    items: int
    devices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePage:
    """One page of files.

    Attributes:
        total: Number of files on all pages.
        tiles: Number of tiles that these belong to.
    """

    items: Sequence[FileView]
    total: int
    tiles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePage:
    """One page of tiles.

    Attributes:
        total: Number of tiles on all pages.
        files: Number of matching files in them.
    """

    items: Sequence[TileView]
    total: int
    files: int


class FileBrowser:
    """Lists the files on the devices, and pins them. Safe for many threads."""

    def __init__(
        self,
        *,
        stores: Stores,
        planning: WishService,
        looking: FilePresence,
        views: Callable[[Person, Sequence[Download]], Sequence[DownloadView]],
        ownership: Ownership,
    ) -> None:
        """Prepare.

        Args:
            stores: The files and tiles, their holds and plays.
            planning: Pins files and ends holds.
            looking: Checks that files exist.
            views: Returns the views of downloads for a person.
            ownership: Decides who may see a file.
        """
        self._albums = stores.albums_on_device
        self._offline = stores.offline
        self._holds = stores.holds
        self._plays = stores.plays
        self._planning = planning
        self._looking = looking
        self._views = views
        self._ownership = ownership

    def tiles(self, person: Person, wanted: FileQuery) -> TilePage:
        """List albums, series and films, the one with the newest file first."""
        which = self._which(person, wanted)
        found, numbers = self._albums.page(which, wanted.page, wanted.page_size)
        return TilePage(items=self._tiles(person, found), total=numbers.tiles, files=numbers.files)

    def newest(self, person: Person, most: int) -> Sequence[TileView]:
        """Return the first of these tiles; those that are not shown are not counted."""
        return self._tiles(person, self._albums.newest(self._which(person, FileQuery()), most))

    def files(self, person: Person, wanted: FileQuery) -> FilePage:
        """List files, newest first, each checked on its device."""
        which = self._which(person, wanted)
        rows, total = self._offline.page(which, wanted.page, wanted.page_size)
        tiles = self._albums.numbers(which).tiles
        return FilePage(items=self._files(person, rows), total=total, tiles=tiles)

    def tile(self, person: Person, key: str, wanted: FileQuery) -> tuple[TileView, FilePage]:
        """Return one tile and a page of its files, sorted by path; ignores the text and types.

        Raises:
            NotVisible: This person may see none of its files.
        """
        which = replace(self._which(person, wanted), text="", item_types=frozenset())
        found = self._albums.tile(key, which)
        if found is None:
            raise NotVisible
        rows, total = self._albums.files(key, which, wanted.page, wanted.page_size)
        (view,) = self._views(person, [found.newest])
        page = FilePage(items=self._files(person, rows), total=total, tiles=1)
        return _tile(found, view), page

    def file(self, person: Person, download_id: int) -> FileView:
        """Return one file.

        Raises:
            NotVisible: It is on no device, or not this person's.
        """
        return self._files(person, [self._own(person, download_id)])[0]

    def keep(self, person: Person, download_id: int) -> None:
        """Pin a file that is on a device: it stays until the person unpins it.

        Raises:
            NotVisible: It is on no device, or not this person's.
        """
        there = self._own(person, download_id)
        known = there.item_type if there.item_type in set(ItemType) else ItemType.OTHER
        item = Item(id=there.item_id, type=ItemType(known), title=there.title)
        # The file exists: no item has to be looked up.
        self._planning.pin(person.user_id, there.device_id, item, lambda _ids: {})

    def let_go(self, person: Person, download_id: int) -> Reversal:
        """End the person's pins of a file, which stays until its space is needed.

        Returns:
            What restores the pins.

        Raises:
            NotVisible: It is on no device, or not this person's.
        """
        there = self._own(person, download_id)
        held = self._holds.of_item(there.device_id, there.item_id)
        pins = [one for one in _own_holds(person, held) if one.reason.rule == PIN]
        self._planning.end(pins)
        return Reversal(holds=tuple(pins))

    def _own(self, person: Person, download_id: int) -> Download:
        found = self._ownership.visible(person, download_id)
        if not found.is_present:
            raise NotVisible
        return found

    def _tiles(self, person: Person, found: Sequence[Tile]) -> list[TileView]:
        views = self._views(person, [one.newest for one in found])
        return [_tile(one, view) for one, view in zip(found, views, strict=True)]

    def _files(self, person: Person, rows: Sequence[Download]) -> list[FileView]:
        sights = self._looking.at(rows)
        holds = self._holds.reasons_for([row.id for row in rows])
        heard = self._plays.last_heard([row.item_id for row in rows], viewer(person))
        return [
            FileView(
                view=view,
                sight=sights[row.id],
                tile=tile_key(row),
                last_heard=heard.get(row.item_id),
                was_used=row.last_used_seq > 0,
                is_pinned=any(one.reason.rule == PIN for one in own),
                holdings=tuple(_holding(one) for one in own if one.reason.rule in RULE_OF),
            )
            for row, view in zip(rows, self._views(person, rows), strict=True)
            for own in (_own_holds(person, holds[row.id]),)
        ]

    def _which(self, person: Person, wanted: FileQuery) -> DownloadFilter:
        owners = None
        if person.is_admin and wanted.owners:
            owners = self._ownership.owners_named(person, wanted.owners)
        return replace(
            self._ownership.listed(person),
            owners=owners,
            device_id=wanted.device_id,
            item_types=wanted.item_types,
            text=wanted.text,
        )


def _tile(found: Tile, view: DownloadView) -> TileView:
    newest = found.newest
    if found.key.startswith(SERIES):
        title, artist = newest.artist, None
    elif newest.album_id is not None:
        title, artist = newest.album, found.artist
    else:
        title, artist = newest.title, found.artist
    return TileView(
        key=found.key,
        title=title,
        artist=artist,
        newest=view,
        files=found.files,
        bytes=found.bytes,
        items=found.items,
        devices=found.devices,
    )


def _own_holds(person: Person, holds: Iterable[Hold]) -> list[Hold]:
    own = (one for one in holds if one.user_id == person.user_id)
    return [one for one in own if one.release_at is None]


def _holding(hold: Hold) -> KeepReason:
    source = hold.reason.source_id
    return KeepReason(hold.reason.rule, source, hold.reason.text, is_wide=source != hold.item_id)
