"""What can be played without Jellyfin: the files on the devices, as each person may see them.

    index of words ─▶ rows of this person ─▶ a look at the device ─▶ said

Jellyfin is never asked, and nothing is said to be available that was not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.domain.downloads.states import Download
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
    """Which files are looked for, newest first; what is empty means any.

    Attributes:
        text: Beginnings of words of titles, artists, albums and series.
        device_id: A device; a search through the API may name it instead.
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
class FoundFile:
    """A file and what was just seen of it."""

    view: DownloadView
    sight: Presence


@dataclass(frozen=True, slots=True)
class FoundFilesPage:
    """One page of files.

    Attributes:
        total: How many there are in all.
        missing: How many more should be there and were not seen at the last look.
    """

    items: Sequence[FoundFile]
    total: int
    page: int
    page_size: int
    missing: int = 0


class FileSearch:
    """Finds finished files on the devices without Jellyfin. Safe for many threads."""

    def __init__(
        self, *, offline: FileIndex, devices: Devices, looking: FilePresence, views: Views
    ) -> None:
        """Prepare; `views` puts rows into a person's words."""
        self._offline = offline
        self._devices = devices
        self._looking = looking
        self._views = views

    def files(self, person: Person, query: FileQuery) -> FoundFilesPage:
        """List the finished files that this person may see, each with a look at its device."""
        which = DownloadFilter(
            viewer=viewer(person),
            device_id=self._device_id(query.device_id),
            item_types=query.item_types,
            text=query.text,
        )
        rows, total = self._offline.page(which, query.page, query.page_size)
        missing = self._offline.missing(which)
        return FoundFilesPage(self._seen(person, rows), total, query.page, query.page_size, missing)

    def item(self, person: Person, item_id: str) -> Sequence[FoundFile]:
        """Return what there is of an item on all devices; what is available comes first.

        Raises:
            NotVisible: This person has nothing of it anywhere.
        """
        rows = self._offline.of_items([item_id], viewer(person))
        if not rows:
            raise NotVisible
        return sorted(self._seen(person, rows), key=lambda one: not one.sight.is_available)

    def local(self, person: Person, item_id: str) -> tuple[int, Path] | None:
        """Return the download and the path of a file that is there now; None without one."""
        rows = self._offline.of_items([item_id], viewer(person))
        seen = self._looking.at(rows)
        return next(
            ((row.id, path) for row in rows if (path := seen[row.id].path) is not None), None
        )

    def _seen(self, person: Person, rows: Sequence[Download]) -> list[FoundFile]:
        sights = self._looking.at(rows)
        return [FoundFile(view, sights[view.id]) for view in self._views(person, rows)]

    def _device_id(self, asked: str | None) -> str | None:
        """A device is meant by its id or by its name."""
        return next((one.id for one in self._devices.all() if one.name == asked), asked)
