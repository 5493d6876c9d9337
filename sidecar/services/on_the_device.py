"""Looks through the files on the devices for a person, and keeps or lets go of one.

    rows of this person ─▶ who holds them ─▶ when they were heard ─▶ a look at the device ─▶ said

Jellyfin is never asked: all of it works while the server is away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sidecar.clock import Clock
from sidecar.domain.downloads.states import Download
from sidecar.domain.files.tiles import SERIES, tile_of
from sidecar.domain.items import Item, ItemType
from sidecar.domain.undo import Reversal
from sidecar.domain.wishes import PIN, Hold
from sidecar.services.desk import DownloadView, Person
from sidecar.services.looking import Looking
from sidecar.services.offline import viewer
from sidecar.services.on_device_desk import (
    FilePage,
    FileView,
    Holding,
    TilePage,
    TileView,
    Wanted,
)
from sidecar.services.planning import Planning
from sidecar.services.steering import EXCLUDABLE
from sidecar.services.steering_desk import NotHere
from sidecar.store.accounts.accounts import Account
from sidecar.store.files.albums import AlbumsOnDevice, Tile
from sidecar.store.files.search import Offline, OfflineFilter
from sidecar.store.playback.plays import Plays
from sidecar.store.rules.holds import Holds


class OnTheDevice:
    """Implements `OnDeviceDesk`. Safe for many threads."""

    def __init__(
        self,
        *,
        albums: AlbumsOnDevice,
        offline: Offline,
        holds: Holds,
        plays: Plays,
        planning: Planning,
        looking: Looking,
        views: Callable[[Person, Sequence[Download]], Sequence[DownloadView]],
        visible: Callable[[Person, int], Download | None],
        accounts: Callable[[], Iterable[Account]],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            albums: The tiles.
            offline: The files.
            holds: Who wants them.
            plays: When they were heard.
            planning: Pins and lets go.
            looking: Looks whether they are there.
            views: Puts rows into a person's words.
            visible: Gives a download that a person may see.
            accounts: All that there are, for their names.
            clock: For when holds end.
        """
        self._albums = albums
        self._offline = offline
        self._holds = holds
        self._plays = plays
        self._planning = planning
        self._looking = looking
        self._views = views
        self._visible = visible
        self._accounts = accounts
        self._clock = clock

    def tiles(self, person: Person, wanted: Wanted) -> TilePage:
        """List albums, series and films; see `OnDeviceDesk`."""
        which = self._which(person, wanted)
        found, numbers = self._albums.page(which, wanted.page, wanted.page_size)
        views = self._views(person, [one.newest for one in found])
        items = [_tile(one, view) for one, view in zip(found, views, strict=True)]
        return TilePage(items=items, total=numbers.tiles, files=numbers.files)

    def files(self, person: Person, wanted: Wanted) -> FilePage:
        """List files; see `OnDeviceDesk`."""
        which = self._which(person, wanted)
        rows, total = self._offline.page(which, wanted.page, wanted.page_size)
        tiles = self._albums.numbers(which).tiles
        return FilePage(items=self._files(person, rows), total=total, tiles=tiles)

    def tile(self, person: Person, key: str, wanted: Wanted) -> tuple[TileView, FilePage]:
        """Return one tile and a page of its files; see `OnDeviceDesk`."""
        which = replace(self._which(person, wanted), text="", item_types=frozenset())
        found = self._albums.tile(key, which)
        if found is None:
            raise NotHere
        rows, total = self._albums.files(key, which, wanted.page, wanted.page_size)
        (view,) = self._views(person, [found.newest])
        page = FilePage(items=self._files(person, rows), total=total, tiles=1)
        return _tile(found, view), page

    def file(self, person: Person, download_id: int) -> FileView:
        """Return one file; see `OnDeviceDesk`."""
        return self._files(person, [self._own(person, download_id)])[0]

    def keep(self, person: Person, download_id: int) -> None:
        """Pin a file that is on a device; see `OnDeviceDesk`."""
        there = self._own(person, download_id)
        known = there.item_type if there.item_type in set(ItemType) else ItemType.OTHER
        item = Item(id=there.item_id, type=ItemType(known), title=there.title)
        # It is there: nothing has to be asked of it.
        self._planning.pin(person.user_id, there.device_id, item, lambda _ids: {})

    def let_go(self, person: Person, download_id: int) -> Reversal:
        """Take back what the person pinned; see `OnDeviceDesk`."""
        there = self._own(person, download_id)
        held = self._holds.of_item(there.device_id, there.item_id)
        pins = [one for one in _own_holds(person, held) if one.reason.rule == PIN]
        self._holds.release_these(pins, self._clock.now())
        self._planning.let_go()
        return Reversal(holds=tuple(pins))

    def _own(self, person: Person, download_id: int) -> Download:
        found = self._visible(person, download_id)
        if found is None or not found.is_present:
            raise NotHere
        return found

    def _files(self, person: Person, rows: Sequence[Download]) -> list[FileView]:
        sights = self._looking.at(rows)
        holds = self._holds.reasons_for([row.id for row in rows])
        heard = self._plays.last_heard([row.item_id for row in rows], viewer(person))
        return [
            FileView(
                view=view,
                sight=sights[row.id],
                tile=tile_of(row),
                last_heard=heard.get(row.item_id),
                was_used=row.last_used_seq > 0,
                is_pinned=any(one.reason.rule == PIN for one in own),
                holdings=tuple(_holding(one) for one in own if one.reason.rule in EXCLUDABLE),
            )
            for row, view in zip(rows, self._views(person, rows), strict=True)
            for own in (_own_holds(person, holds[row.id]),)
        ]

    def _which(self, person: Person, wanted: Wanted) -> OfflineFilter:
        owners = None
        if person.is_admin and wanted.owners:
            named = {one.casefold() for one in wanted.owners}
            users = self._accounts()
            owners = frozenset(one.user_id for one in users if one.name.casefold() in named)
        return OfflineFilter(
            viewer=viewer(person),
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
    )


def _own_holds(person: Person, holds: Iterable[Hold]) -> list[Hold]:
    own = (one for one in holds if one.user_id == person.user_id)
    return [one for one in own if one.release_at is None]


def _holding(hold: Hold) -> Holding:
    source = hold.reason.source_id
    return Holding(hold.reason.rule, source, hold.reason.text, is_wide=source != hold.item_id)
