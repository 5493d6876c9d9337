"""The desk at which people look through what is on the devices: what may be asked, and its values.

A *tile* is what people look at as one thing: an album, a series, or a single film. Its key is the
album's id, `series:` and the name, or the film's own id. Jellyfin is never asked. What a person may
not see does not exist for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sidecar.domain.undo import Reversal
from sidecar.services.desk import DownloadView, Person
from sidecar.services.looking import Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which files are looked for; what is empty means any.

    Attributes:
        text: Beginnings of words of titles, artists, albums and series.
        item_types: Jellyfin's names.
        owners: Names of accounts; only an admin's list obeys it.
        page: From 1.
    """

    text: str = ""
    device_id: str | None = None
    item_types: frozenset[str] = frozenset()
    owners: tuple[str, ...] = ()
    page: int = 1
    page_size: int = 24


@dataclass(frozen=True, slots=True)
class Holding:
    """A rule that keeps a file for the person who asks.

    Attributes:
        source_id: What the rule looked at: the file itself, its album, its artist …
        text: Why: "on your favourite album First Light".
        is_wide: The rule looked at more than this file.
    """

    rule: str
    source_id: str
    text: str
    is_wide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file, and all that is known of it.

    Attributes:
        sight: What was just seen of it on its device.
        tile: The key of the tile that it belongs to.
        last_heard: When the person last played it (an admin: when anybody did).
        was_used: Something was fetched of it to be played since it came.
        is_pinned: The person asked for it themself.
        holdings: The rules that keep it for this person and that it can be left out of.
    """

    view: DownloadView
    sight: Sight
    tile: str
    last_heard: datetime | None
    was_used: bool
    is_pinned: bool
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileView:
    """An album, a series or a film.

    Attributes:
        title: None if it has no name of its own.
        newest: The file that came last; it lends its cover.
        artist: None if there are several or none.
        files, bytes: All that the person may see of it.
    """

    key: str
    title: str | None
    artist: str | None
    newest: DownloadView
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePage:
    """One page of files.

    Attributes:
        total: Files on all pages.
        tiles: The tiles that these belong to.
    """

    items: Sequence[FileView]
    total: int
    tiles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePage:
    """One page of tiles.

    Attributes:
        total: Tiles on all pages.
        files: The files in them that fit.
    """

    items: Sequence[TileView]
    total: int
    files: int


class OnDeviceDesk(Protocol):
    """What may be asked about the files on the devices."""

    def tiles(self, person: Person, wanted: Wanted) -> TilePage:
        """List albums, series and films, the one that got a file last first."""

    def files(self, person: Person, wanted: Wanted) -> FilePage:
        """List files, newest first, each with a look at its device."""

    def tile(self, person: Person, key: str, wanted: Wanted) -> tuple[TileView, FilePage]:
        """Return one tile and a page of its files in their order, whatever the words and types.

        Raises:
            NotHere: This person has nothing of it.
        """

    def file(self, person: Person, download_id: int) -> FileView:
        """Return one file.

        Raises:
            NotHere: It is on no device, or not this person's.
        """

    def keep(self, person: Person, download_id: int) -> None:
        """Pin a file that is on a device: it stays until the person lets it go.

        Raises:
            NotHere: It is on no device, or not this person's.
        """

    def let_go(self, person: Person, download_id: int) -> Reversal:
        """Take back what the person pinned: the file stays until its room is needed.

        Raises:
            NotHere: It is on no device, or not this person's.
        """
