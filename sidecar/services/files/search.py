"""Searches the files on the devices that a person may see and play without Jellyfin.

    full-text index ─▶ rows of this person ─▶ a check on the device ─▶ result

Jellyfin is never asked, and a file is reported as available only after a check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.domain.downloads.download import Download
from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person, viewer
from sidecar.services.downloads.views import DownloadView
from sidecar.services.files.presence import FilePresence, Presence
from sidecar.store.devices.devices import Devices
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.files.search import FileIndex

Views = Callable[[Person, Sequence[Download]], Sequence[DownloadView]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileQuery:
    """A query for files; what is empty means any.

    Attributes:
        text: Prefixes of words in titles, artists, albums and series.
        device_id: A device's id; `FileSearch` accepts its name as well.
        item_types: Jellyfin's names.
        owners: Names of accounts; ignored unless an admin asks.
        page: From 1.
    """

    text: str = ""
    device_id: str | None = None
    item_types: frozenset[str] = frozenset()
    owners: tuple[str, ...] = ()
    page: int = 1
    page_size: int = 24


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file, and whether it was just found on its device."""

    view: DownloadView
    sight: Presence


@dataclass(frozen=True, slots=True)
class FoundFilesPage:
    """One page of files.

    Attributes:
        total: Number of files on all pages.
        missing: Number of further files that the last check of the device did not find.
    """

    items: Sequence[FoundFile]
    total: int
    page: int
    page_size: int
    missing: int = 0


class FileSearch:
    """Finds finished files on the devices without Jellyfin. Safe for many threads."""

    def __init__(
        self,
        *,
        offline: FileIndex,
        devices: Devices,
        looking: FilePresence,
        views: Views,
        listed: Callable[[Person], DownloadFilter],
    ) -> None:
        """Prepare.

        Args:
            offline: The finished files.
            devices: The devices that were ever attached.
            looking: Looks whether a file is there.
            views: Returns the views of downloads for a person.
            listed: Returns the filter of all that a person is shown.
        """
        self._listed = listed
        self._offline = offline
        self._devices = devices
        self._looking = looking
        self._views = views

    def files(self, person: Person, query: FileQuery) -> FoundFilesPage:
        """List the finished files that this person may see, newest first, each checked."""
        which = replace(
            self._listed(person),
            device_id=self._device_id(query.device_id),
            item_types=query.item_types,
            text=query.text,
        )
        rows, total = self._offline.page(which, query.page, query.page_size)
        missing = self._offline.missing(which)
        return FoundFilesPage(self._seen(person, rows), total, query.page, query.page_size, missing)

    def item(self, person: Person, item_id: str) -> Sequence[FoundFile]:
        """Return the files of an item on all devices, available ones first.

        Raises:
            NotVisible: There is none that this person may see.
        """
        rows = self._offline.of_items([item_id], viewer(person))
        if not rows:
            raise NotVisible
        return sorted(self._seen(person, rows), key=lambda one: not one.sight.is_available)

    def local(self, person: Person, item_id: str) -> tuple[int, Path] | None:
        """Return the download id and path of an item's available file; None if there is none."""
        rows = self._offline.of_items([item_id], viewer(person))
        seen = self._looking.at(rows)
        return next(
            ((row.id, path) for row in rows if (path := seen[row.id].path) is not None), None
        )

    def _seen(self, person: Person, rows: Sequence[Download]) -> list[FoundFile]:
        sights = self._looking.at(rows)
        return [FoundFile(view, sights[view.id]) for view in self._views(person, rows)]

    def _device_id(self, asked: str | None) -> str | None:
        """Return the id of a device that is given by id or by name."""
        return next((one.id for one in self._devices.all() if one.name == asked), asked)
