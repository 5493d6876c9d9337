"""Works out what the download button of an item shows for each device."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.items.item import ItemType
from sidecar.domain.items.kinds import not_taken_text
from sidecar.events import Progress
from sidecar.messages import msg
from sidecar.services.accounts.person import Person, viewer
from sidecar.services.devices.views import DeviceView
from sidecar.store.downloads.queue import Downloads
from sidecar.store.files.search import Counted, FileIndex

NOT_FOR_DOWNLOAD = msg("Not for download")


class ButtonState(StrEnum):
    """The state of a button.

    `PARTLY`: some files are here, and no others are queued. `NOT_TAKEN`: the device does not take
    this kind of media, and there is nothing of it; or Jellyfin does not let the account have it.
    """

    AVAILABLE = "available"
    WAITING = "waiting"
    DOWNLOADING = "downloading"
    PAUSED = "paused"
    FAILED = "failed"
    COMPLETED = "completed"
    PARTLY = "partly"
    NOT_TAKEN = "not-taken"


# Of several files, the first of these states that any of them has is shown.
SHOWN = (
    (Status.DOWNLOADING, ButtonState.DOWNLOADING),
    (Status.PENDING, ButtonState.WAITING),
    (Status.PAUSED, ButtonState.PAUSED),
    (Status.FAILED, ButtonState.FAILED),
)
# The button links to the download whose state comes first in this order.
TELLING = (*(status for status, _ in SHOWN), Status.COMPLETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDownloadState:
    """The download state of an item on a device.

    Attributes:
        download_id: Of a single file; None for several files, or if there is no download.
        row: The id of the download that explains the state; None if there is none.
        place: In the queue, from 1; the first of several files. None if nothing waits.
        progress: From 0 to 1, of all files together.
        done, total: How many files are here, and how many there are (None if not known).
        text: Why nothing of it can come; None if it can.
    """

    device_id: str
    device_name: str
    state: ButtonState
    download_id: int | None = None
    row: int | None = None
    place: int | None = None
    progress: float = 0.0
    done: int = 0
    total: int | None = None
    text: str | None = None


class DownloadStates:
    """Looks up the buttons of items. Safe for many threads."""

    def __init__(
        self,
        *,
        offline: FileIndex,
        downloads: Downloads,
        devices: Callable[[Person], Sequence[DeviceView]],
        running: Callable[[], Sequence[Progress]],
    ) -> None:
        """Prepare.

        Args:
            offline: Finds the downloads of items.
            downloads: For places in the queue.
            devices: Lists the devices that a person uses.
            running: Returns the progress of the running transfers.
        """
        self._offline = offline
        self._downloads = downloads
        self._devices = devices
        self._running = running

    def of_files(
        self,
        person: Person,
        groups: Mapping[str, Collection[str]],
        types: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, list[ItemDownloadState]]:
        """Return the buttons of items, given the ids of the playable items in each.

        `types` are those of the items, as far as known, by Jellyfin's names.
        """
        devices = self._devices(person)
        ids = {one for files in groups.values() for one in files}
        found = self._offline.of_items(ids, viewer(person))
        # A missing file counts as not downloaded: it can be asked for.
        rows = [one for one in found if one.missing_since is None]
        waiting = [one.id for one in rows if one.status is Status.PENDING]
        places = self._downloads.queries.positions(waiting)
        running = {one.download_id: one for one in self._running()}
        by_place = {(one.device_id, one.item_id): one for one in rows}
        return {
            item: [
                _unless_not_taken(
                    _button(
                        device,
                        len(files),
                        [row for file in files if (row := by_place.get((device.id, file)))],
                        places,
                        running,
                    ),
                    _why_not(person, types.get(item, ""), device),
                )
                for device in devices
            ]
            for item, files in groups.items()
        }

    def not_taken(
        self, person: Person, types: Mapping[str, str]
    ) -> dict[str, list[ItemDownloadState]]:
        """Return the buttons of items of which only the type is known: where they are not taken."""
        devices = self._devices(person)
        told = {
            item: [
                ItemDownloadState(
                    device_id=one.id, device_name=one.name, state=ButtonState.NOT_TAKEN, text=text
                )
                for one in devices
                if (text := _why_not(person, type_name, one))
            ]
            for item, type_name in types.items()
        }
        return {item: buttons for item, buttons in told.items() if buttons}

    def downloads(
        self, person: Person, device_id: str, files: Collection[str]
    ) -> Sequence[Download]:
        """Return the downloads of these items on a device that the person may see."""
        found = self._offline.of_items(files, viewer(person))
        return [one for one in found if one.device_id == device_id]

    def of_albums(
        self, person: Person, albums: Mapping[str, int | None]
    ) -> dict[str, list[ItemDownloadState]]:
        """Return the buttons of albums, given the number of tracks (None if not known)."""
        counted = self._offline.of_albums(albums, viewer(person))
        devices = self._devices(person)
        return {
            album: [
                _unless_not_taken(
                    _of_album(one, counted.get((album, one.id), []), total),
                    _why_not(person, ItemType.ALBUM, one),
                )
                for one in devices
            ]
            for album, total in albums.items()
        }


def _why_not(person: Person, type_name: str, device: DeviceView) -> str | None:
    """Return why nothing of an item can come to a device for a person; None if it can."""
    if not person.may_download:
        return NOT_FOR_DOWNLOAD
    return not_taken_text(type_name, device.takes, device.name)


def _unless_not_taken(button: ItemDownloadState, not_taken: str | None) -> ItemDownloadState:
    is_asked_for = button.state is ButtonState.AVAILABLE or (
        # The rest of it cannot come either.
        button.state is ButtonState.PARTLY and not_taken == NOT_FOR_DOWNLOAD
    )
    if not_taken is None or not is_asked_for:
        return button
    return replace(button, state=ButtonState.NOT_TAKEN, text=not_taken)


def _of_album(
    device: DeviceView, counted: Sequence[Counted], total: int | None
) -> ItemDownloadState:
    by_status = {one.status: one for one in counted}
    completed = by_status.get(Status.COMPLETED)
    done = completed.number if completed else 0
    telling = [by_status[one] for one in TELLING if one in by_status]
    return ItemDownloadState(
        device_id=device.id,
        device_name=device.name,
        state=_state(by_status, done, total),
        row=telling[0].first if telling else None,
        progress=min(1.0, done / total) if total else 0.0,
        done=done,
        total=total,
    )


def _button(
    device: DeviceView,
    total: int,
    rows: Sequence[Download],
    places: Mapping[int, int],
    running: Mapping[int, Progress],
) -> ItemDownloadState:
    done = sum(one.status is Status.COMPLETED for one in rows)
    shares = [_share(one, running.get(one.id)) for one in rows]
    return ItemDownloadState(
        device_id=device.id,
        device_name=device.name,
        state=_state({one.status for one in rows}, done, total),
        download_id=rows[0].id if total == 1 and rows else None,
        row=min(rows, key=_told_by).id if rows else None,
        place=min((places[one.id] for one in rows if one.id in places), default=None),
        progress=sum(shares) / total if total else 0.0,
        done=done,
        total=total,
    )


def _state(statuses: Collection[Status], done: int, total: int | None) -> ButtonState:
    if total and done >= total:
        return ButtonState.COMPLETED
    shown = next((state for status, state in SHOWN if status in statuses), None)
    return shown or (ButtonState.PARTLY if done else ButtonState.AVAILABLE)


def _told_by(row: Download) -> int:
    return TELLING.index(row.status) if row.status in TELLING else len(TELLING)


def _share(row: Download, progress: Progress | None) -> float:
    if row.status is Status.REMOVED:
        return 0.0
    if row.status is Status.DOWNLOADING and progress is not None and progress.size:
        return min(1.0, progress.bytes_held / progress.size)
    return row.progress
