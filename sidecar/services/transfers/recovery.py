"""Reconciles rows and files of a device after a crash or after it was unplugged.

Runs before any worker uses the device, and may be interrupted and repeated. Correct files are kept,
and files that are not the sidecar's are not touched. Files that are missing, or that something else
has written to, are left to `services.files.removals`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

import xxhash

from sidecar.device.own.parts import CONVERTED, FETCHED, ORIGINAL, PartFile, is_of_film
from sidecar.domain.downloads.download import Download, Move, Status
from sidecar.domain.files.naming import build_distinct_path, make_path_key
from sidecar.domain.files.removals import Expected, FileStat, was_written_since
from sidecar.domain.formats import formats
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.errors import DeviceError
from sidecar.messages import msg
from sidecar.services.devices.registry import AttachedDevice
from sidecar.store.downloads.queue import Downloads, FilePlace
from sidecar.transfer.durable import read_through

UNFINISHED = frozenset({Status.PENDING, Status.PAUSED, Status.FAILED, Status.DOWNLOADING})
OF_USE = {
    FETCHED: UNFINISHED,
    # A half converted file is of no use once its worker is gone.
    CONVERTED: frozenset({Status.DOWNLOADING}),
    ORIGINAL: frozenset({Status.COMPLETED, Status.DOWNLOADING}),
}

log = logging.getLogger(__name__)


class DeviceRecovery:
    """Reconciles one device at a time. Used by the thread that attaches devices."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads

    def reconcile(
        self,
        device: AttachedDevice,
        unfinished: list[Download],
        *,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """Finish or requeue what was being finalized, check completed files, remove old parts.

        What cannot be finished now, as on a full device, is left as it is for `finish`.

        Args:
            device: The newly attached device.
            unfinished: What `Downloads.recover` returned for this device.
            is_over: Called now and then; True ends it.

        Raises:
            errors.Stopped: `is_over` returned True; reconcile it at the next start.
            errors.DeviceError: The device is gone again; reconcile it when it is back.
        """
        for download in unfinished:
            if trouble := _try_on(device, partial(self._finish, device, download)):
                log.warning("%s is not in its place yet: %s", download.title, trouble)
        self._remove_abandoned(device)
        self._put_in_place(device)
        self._check_completed(device, is_over)
        self._sweep(device)

    def finish(self, device: AttachedDevice, unfinished: list[Download]) -> None:
        """Finish or requeue what was being finalized by processes that died.

        Raises:
            errors.DeviceError: The device is gone again.
        """
        for download in unfinished:
            self._finish(device, download)

    def sweep_cancelled(self, device: AttachedDevice, busy: Collection[int]) -> None:
        """Remove the part files of downloads that are gone, which others may have cancelled.

        Args:
            device: The device, which workers use meanwhile.
            busy: The downloads that workers are busy with; they clean up themselves.

        Raises:
            errors.DeviceError: The device is gone again.
        """
        parts = [one for one in device.folder.parts() if one.download_id not in busy]
        # A row is there before its part file.
        forgotten = self._list_forgotten(parts)
        for part in parts:
            if part.download_id in forgotten:
                part.remove()

    def _finish(self, device: AttachedDevice, download: Download) -> None:
        """Finish a download that was being finalized.

        Its part was whole and synced before the rename, so the file has one of the two names.
        """
        part = _whole(device, download)
        size = download.file_size
        if _has_its_name(device, download, part):
            device.folder.sync(download.file_path)
            part.remove()
        elif size is not None and part.size() == size:
            download = self._finish_from_part(device, download)
        else:
            log.warning("%s was cut off while it was finished: fetched again", download.title)
            self._downloads.transitions.move(download, Move.POSTPONE)
            return
        fetched = device.folder.part(download.id)
        if download.original_size is not None and fetched.size() == download.original_size:
            fetched.rename_to(device.folder.original(download.id))
        fetched.remove()
        self._downloads.transitions.mark_arrived(
            download,
            size=size or 0,
            content_hash=download.content_hash or "",
            mime_type=download.mime_type,
        )

    def _finish_from_part(self, device: AttachedDevice, download: Download) -> Download:
        """Rename the part again, to a distinct name if something has taken the name."""
        part = _whole(device, download)
        try:
            device.folder.finish(part, download.file_path)
        except DeviceError as trouble:
            path = build_distinct_path(download.file_path, download.item_id)
            place = FilePlace(path, make_path_key(path))
            if trouble.code != "name-taken" or not self._downloads.queue.rename(download, place):
                raise
            device.folder.finish(part, path)
        return self._downloads.queries.get(download.id) or download

    def _remove_abandoned(self, device: AttachedDevice) -> None:
        """Remove what was cancelled while the device was away, whichever name it has."""
        for download in self._downloads.queue.list_abandoned(device.id):
            device.folder.remove(
                download.file_path,
                size=download.file_size or 0,
                content_hash=download.content_hash,
                completed_at=None,
            )
            self._downloads.queue.forget_abandoned(download)

    def _put_in_place(self, device: AttachedDevice) -> None:
        """Put copies with completed tags in place of their files, where the row says so already."""
        for part in device.folder.parts():
            if part.suffix != CONVERTED:
                continue
            download = self._downloads.queries.get(part.download_id)
            if download is None or download.status is not Status.COMPLETED:
                continue
            there = device.folder.stat(download.file_path)
            is_meant = download.is_converted and part.size() == download.file_size
            if there is None or there.size != download.source_size or not is_meant:
                continue
            # A person may have changed it since.
            is_known = device.folder.content_hash(download.file_path) == download.source_hash
            if not is_known or _hash_of(part) != download.content_hash:
                continue
            put = partial(device.folder.replace, part, download.file_path, known=there)
            trouble = _try_on(device, put)
            if trouble and trouble.code != "name-taken" and part.size() is not None:
                log.warning("%s keeps its tags for now: %s", download.title, trouble)
                self._downloads.transitions.take_back_tags(
                    replace(
                        download,
                        file_size=download.source_size,
                        bytes_downloaded=there.size,
                        content_hash=download.source_hash,
                        format=formats.ORIGINAL,
                        source_size=None,
                        source_hash=None,
                    ),
                    content_hash=download.content_hash,
                )

    def _check_completed(self, device: AttachedDevice, is_over: Callable[[], bool]) -> None:
        """Queue files again that a power cut damaged; those written to since are skipped."""
        for files in self._downloads.queries.some_files_on(device.id):
            self._check_files(device, files, is_over)

    def _check_files(
        self, device: AttachedDevice, files: Sequence[Expected], is_over: Callable[[], bool]
    ) -> None:
        seen = device.folder.look((one.path for one in files), is_over=is_over)
        known = {}
        for one in files:
            facts = seen[one.path]
            if isinstance(facts, FileStat) and (
                facts.size == one.size or not was_written_since(facts, one.completed_at)
            ):
                known[one.path] = one
        sizes = {path: one.size for path, one in known.items()}
        for path in device.folder.find_cut(sizes, is_over=is_over):
            self._damaged(known[path].id)

    def _damaged(self, download_id: int) -> None:
        download = self._downloads.queries.get(download_id)
        if download is None or download.status is not Status.COMPLETED:
            return
        text = msg(
            "The file on the device is not the one that was downloaded: it is downloaded again"
        )
        log.warning("%s: %s", download.file_path, text)
        self._downloads.transitions.mark_damaged(
            download, Failure(FailureClass.TRANSIENT, "damaged", text)
        )

    def _sweep(self, device: AttachedDevice) -> None:
        """Remove part files that are of no use any more; only the sidecar's own files."""
        parts = device.folder.parts()
        forgotten = self._list_forgotten(parts)
        for part in parts:
            download = self._downloads.queries.get(part.download_id)
            if download is None:
                # Its part may be kept, or it was cancelled a moment ago.
                is_of_use = part.suffix == FETCHED and part.download_id not in forgotten
            else:
                is_of_use = download.status in _when_of_use(part)
                is_of_use &= download.device_id == device.id
                if part.suffix == ORIGINAL:
                    is_of_use &= download.original_size is not None
            if not is_of_use:
                part.remove()

    def _list_forgotten(self, parts: Collection[PartFile]) -> frozenset[int]:
        found = {one.download_id for one in parts}
        return self._downloads.queue.list_forgotten(found) if found else frozenset()


def _when_of_use(part: PartFile) -> frozenset[Status]:
    """Return the states of a download in which its part file is still needed."""
    # The segments of a film are what a conversion goes on from.
    return UNFINISHED if is_of_film(part.suffix) else OF_USE[part.suffix]


def _try_on(device: AttachedDevice, work: Callable[[], object]) -> DeviceError | None:
    """Do something with one file; return why it failed, if the device can be used all the same.

    A full device can: room is made there.
    """
    try:
        work()
    except DeviceError as trouble:
        try:
            device.folder.check()
        except DeviceError as error:
            if error.code != "full":
                raise
        return trouble
    return None


def _has_its_name(device: AttachedDevice, download: Download, part: PartFile) -> bool:
    """Whether the file at the final name is the one that was being finalized.

    Where its part file is there as well, it may be a person's of the same size.
    """
    there = device.folder.stat(download.file_path)
    if there is None or there.size != download.file_size:
        return False
    if part.size() != there.size:
        return True
    return device.folder.content_hash(download.file_path) == download.content_hash


def _hash_of(part: PartFile) -> str:
    digest = xxhash.xxh3_128()
    with part.open() as file:
        read_through(file, part.size() or 0, digest)
    return digest.hexdigest()


def _whole(device: AttachedDevice, download: Download) -> PartFile:
    """Return the part file with the finished file's bytes, which may be the converted one."""
    folder = device.folder
    return (folder.converted if download.is_converted else folder.part)(download.id)
