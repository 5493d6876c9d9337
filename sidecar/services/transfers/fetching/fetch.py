"""Fetches a download into its part file: from another device that has the file, or the server.

another device ─▶ copied
the engine     ─▶ opened, synced … ─▶ length unlike the server's scan? ─▶ file is checked
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import BinaryIO

from sidecar.domain.downloads.download import EMPTY, LARGER, Download, Validator
from sidecar.domain.formats.formats import ORIGINAL
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.items.versions import find_version
from sidecar.domain.transfers.failures import TransferFailed
from sidecar.domain.transfers.response import is_believed, unproved_length_failure
from sidecar.domain.transfers.wholeness import Verdict, Wholeness
from sidecar.errors import Stopped
from sidecar.jellyfin.client import Jellyfin
from sidecar.messages import msg
from sidecar.services.devices.registry import AttachedDevice
from sidecar.services.transfers.fetching.device_copy import Copied, DeviceCopy
from sidecar.services.transfers.fetching.progress import ProgressTracker
from sidecar.store.downloads.queue import Downloads
from sidecar.transfer.copying import CopyFailed
from sidecar.transfer.engine import Engine, Job, Receipt
from sidecar.transfer.faults import classify_disk_error

log = logging.getLogger(__name__)

Fit = Callable[[str, Item], Item]
WITH_VERSIONS = frozenset({ItemType.MOVIE, ItemType.VIDEO, ItemType.EPISODE, ItemType.MUSIC_VIDEO})
# Checks whether a file is whole. Takes the open file, its extension, its running time as the server
# has it, and an event that ends the check. Raises OSError if the file cannot be read.
CheckWhole = Callable[[BinaryIO, str, float | None, Event], Wholeness]
# Makes sure that there is room for a file that is larger than was known before; else it raises.
MakeRoom = Callable[[Download], object]


def as_it_is(_device_id: str, item: Item) -> Item:
    """Default: the file that Jellyfin has first."""
    return item


def cannot_tell(
    _file: BinaryIO, _container: str, _seconds: float | None, _stop: Event
) -> Wholeness:
    """Default check, which knows nothing of files."""
    return Wholeness(Verdict.UNKNOWN, msg("nothing here can look into it"), None)


@dataclass(slots=True)
class _Report:
    """Passes the engine's reports to the database and to the progress tracker.

    While no byte counts, the row need not know the version: it is recorded with the first bytes
    that are synced. So a file that is whole before is never written to the database for it.
    """

    download: Download
    downloads: Downloads
    progress: ProgressTracker
    came_through: Callable[[int], object] = lambda _download_id: None
    make_room: MakeRoom = lambda _larger: None
    has_room_for: int = 0
    _unsaid: Validator | None = field(default=None, init=False)
    _is_told: bool = field(default=False, init=False)

    def opened(self, validator: Validator, *, held: int) -> None:
        self.progress.resize(self.download.id, held=held, size=validator.total)
        if (validator.total or 0) > self.has_room_for:
            if self.download.expected_size is None:
                # Nothing else says how long it is.
                self._start(validator, held)
            self.make_room(replace(self.download, validator=validator, bytes_downloaded=held))
        counts_none = self.download.validator is None and not self._is_told
        if counts_none and not held and self.download.format == ORIGINAL:
            self._unsaid = validator
        else:
            self._start(validator, held)

    def synced(self, held: int) -> None:
        if self._unsaid is None:
            self.downloads.transitions.record_synced(self.download.id, held)
        else:
            self._start(self._unsaid, held)

    def _start(self, validator: Validator, held: int) -> None:
        anew = self.download.validator is None
        self._unsaid, self._is_told = None, True
        if not self.downloads.transitions.transfer_started(
            self.download.id, validator, held, anew=anew
        ):
            raise Stopped(msg("it is no longer needed"))

    def moved(self, held: int) -> None:
        self.came_through(self.download.id)
        self.progress.moved(self.download.id, held)


class Fetcher:
    """Fetches downloads for the workers. Thread-safe."""

    def __init__(
        self,
        *,
        engine: Engine,
        downloads: Downloads,
        copies: DeviceCopy,
        progress: ProgressTracker,
        came_through: Callable[[int], object],
        check_whole: CheckWhole = cannot_tell,
        fit: Fit = as_it_is,
    ) -> None:
        """Prepare.

        Args:
            engine: Moves the bytes.
            downloads: The queue.
            copies: Copies from another device.
            progress: Shows how far it is.
            came_through: Called with a download's id when bytes of it come from the server.
            check_whole: Looks into a file whose length nothing confirms.
            fit: Returns an item with the version of its file that a device is to get.
        """
        self._engine = engine
        self._downloads = downloads
        self._copies = copies
        self._progress = progress
        self._check_whole = check_whole
        self._fit = fit
        self._came_through = came_through

    def fetch(
        self,
        device: AttachedDevice,
        client: Jellyfin,
        download: Download,
        stop: Event,
        *,
        make_room: MakeRoom,
        is_read_again: bool = False,
    ) -> Copied | Receipt:
        """Fetch a download into its part file, from another device or from the server.

        Args:
            device: Where it goes.
            client: Asks the server.
            download: The download, with room for what is known of its size.
            stop: Ends it when set.
            make_room: Called before the first byte of what is larger.
            is_read_again: It is read soon, and stays in the memory; so does what another device
                waits for.
        """
        is_read_again = is_read_again or self._copies.is_awaited_elsewhere(download)
        self._progress.begin(download.id, held=download.bytes_downloaded, size=download.size)
        report = _Report(download, self._downloads, self._progress)
        try:
            copied = self._copies.bring(
                device, client, download, report, stop, is_read_again=is_read_again
            )
        except CopyFailed:
            copied, download = None, replace(download, validator=None, bytes_downloaded=0)
        return copied or self._ask_for(
            device, client, download, stop, make_room, is_read_again=is_read_again
        )

    def is_whole(self, download: Download, receipt: Receipt) -> None:
        """Record that all bytes are fetched, and show that the file is converted now."""
        self._downloads.transitions.record_synced(download.id, receipt.size)
        self._progress.convert(download.id)

    def converted(self, download: Download, share: float) -> None:
        """Show how much of a film is converted."""
        self._progress.converted(download.id, share)

    def is_part_kept(self, download: Download) -> bool:
        """Whether its part file is still needed: its row exists, or a person kept the part."""
        return not self._downloads.queue.list_forgotten([download.id])

    def end(self, download: Download) -> None:
        """Stop showing its progress."""
        self._progress.end(download.id)

    def _ask_for(
        self,
        device: AttachedDevice,
        client: Jellyfin,
        download: Download,
        stop: Event,
        make_room: MakeRoom,
        *,
        is_read_again: bool,
    ) -> Receipt:
        came, has_room_for = download.validator, download.size or 0
        is_odd = came is not None and came.total not in {None, download.expected_size}
        file_id = download.item_id
        is_doubtful = is_odd or download.error_code in {EMPTY, LARGER}
        if is_doubtful or download.item_type in WITH_VERSIONS:
            # The server may have scanned the file again since it was queued.
            item = client.item(download.item_id)
            item = find_version(item, download.source_etag) or self._fit(device.id, item)
            # Not by `mediaSourceId`: the server sends the first version whatever is asked.
            file_id = item.file_id or item.id
            is_another = bool(item.versions) and item.source_etag != download.source_etag
            if is_doubtful or is_another:
                self._downloads.transitions.record_rescan(download.id, item)
                download = replace(download, expected_size=item.size, seconds=item.seconds)
        job = Job(
            download_id=download.id,
            url=client.download_url(file_id),
            headers=client.authorization_header(),
            part=device.folder.part(download.id),
            known_size=download.expected_size,
            validator=download.validator,
            held=download.bytes_downloaded,
            accepted=download.accepted,
            device_id=device.id,
            is_read_again=is_read_again,
        )
        report = _Report(
            download,
            self._downloads,
            self._progress,
            self._came_through,
            make_room,
            has_room_for,
        )
        receipt = self._engine.fetch(job, report, stop)
        self._came_through(download.id)
        if receipt.is_unlike_scan:
            report.synced(receipt.size)
            self._prove_whole(device, download, receipt, stop)
        return receipt

    def _prove_whole(
        self, device: AttachedDevice, download: Download, receipt: Receipt, stop: Event
    ) -> None:
        """Check a file whose length is not that of the server's last scan.

        Raises:
            TransferFailed: The file is not certainly whole, and stays as the part file; or the
                device cannot be read.
            errors.Stopped: `stop` was set.
        """
        extension = download.source_extension or ""
        with device.folder.part(download.id).open() as part:
            try:
                found = self._check_whole(part, extension, download.seconds, stop)
            except OSError as error:
                raise TransferFailed(classify_disk_error(error)) from error
        log.info(
            "%s has %d bytes, not %s as scanned: %s, %s",
            download.title,
            receipt.size,
            download.expected_size,
            found.verdict,
            found.detail,
        )
        if is_believed(found.verdict, receipt.size, download.expected_size):
            return
        raise TransferFailed(unproved_length_failure(receipt.size, download.expected_size))
