"""Copies a file from another device that has it, instead of fetching it from Jellyfin again.

    on another device? ─▶ may the account have it, in this version? ─▶ copied, hash compared

A converted file is copied only for a device with the same format. Jellyfin is asked for the item,
not for its bytes: only Jellyfin knows what the account may have and whether this version is the
newest. If there is no file to copy, the caller fetches it from Jellyfin.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from threading import Event

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.items.item import Item
from sidecar.domain.items.versions import find_version
from sidecar.errors import DeviceError
from sidecar.jellyfin.client import Jellyfin
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.store.downloads.queue import Downloads
from sidecar.transfer.copying import CopyFailed, Original, copy
from sidecar.transfer.engine import Receipt, TransferReport

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _SourceFile:
    """The completed file of the same item on another device."""

    device: AttachedDevice
    download: Download
    size: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Copied:
    """A file that was copied.

    Attributes:
        receipt: The receipt, as from an engine.
        twin: The download that was copied, if it has the wanted format; None if it is the original
            and another format is wanted.
    """

    receipt: Receipt
    twin: Download | None


class DeviceCopy:
    """Copies files from device to device. Thread-safe."""

    def __init__(self, registry: DeviceRegistry, downloads: Downloads) -> None:
        self._registry = registry
        self._downloads = downloads

    def bring(
        self,
        device: AttachedDevice,
        client: Jellyfin,
        download: Download,
        report: TransferReport,
        stop: Event,
        *,
        is_read_again: bool = False,
    ) -> Copied | None:
        """Copy the file of a download, if another device has it; None if none has.

        Args:
            device: The device to copy to.
            client: The client of the account that fetches it.
            download: The download; its part file may hold some bytes already.
            report: Takes the progress.
            stop: Ends the copy within one block when set.
            is_read_again: Whether the copy is read soon.

        Raises:
            transfer.copying.CopyFailed: The copy failed, and the part is empty again.
            errors.JellyfinError: Jellyfin cannot be asked, or the account may not see the item.
            TransferFailed: The part cannot be written.
            errors.Stopped: `stop` was set.
        """
        twin = self._twin(download)
        if twin is None:
            return None
        item = client.item(download.item_id)
        if not _is_still(find_version(item, download.source_etag) or item, twin):
            return None
        try:
            file = twin.device.folder.open(twin.download.file_path)
        except DeviceError as trouble:
            log.info("%s is not copied: %s", download.title, trouble)
            return None
        with file:
            original = Original(
                file=file,
                size=twin.size,
                content_hash=twin.content_hash,
                mime_type=twin.download.mime_type,
            )
            part = device.folder.part(download.id)
            try:
                receipt = copy(
                    original,
                    part,
                    report,
                    stop,
                    held=download.bytes_downloaded,
                    is_read_again=is_read_again,
                )
            except CopyFailed as failed:
                name = twin.device.settings.name
                log.warning("%s on %s: %s", twin.download.file_path, name, failed)
                raise
        log.info("%s was copied from %s", download.title, twin.device.settings.name)
        is_as_wanted = twin.download.format == download.format
        return Copied(receipt, twin.download if is_as_wanted else None)

    def is_awaited_elsewhere(self, download: Download) -> bool:
        """Whether another device waits for the same item: it is copied from this one then."""
        others = [one.id for one in self._registry.all() if one.id != download.device_id]
        if not others:
            return False
        there = self._downloads.queries.by_items((one, download.item_id) for one in others)
        return any(one.status is Status.PENDING for one in there.values())

    def _twin(self, download: Download) -> _SourceFile | None:
        for device in self._registry.all():
            if device.id == download.device_id:
                continue
            there = self._downloads.queries.by_item(device.id, download.item_id)
            if there is None:
                continue
            is_of_use = there.format == download.format or not there.is_converted
            if not there.is_present or not is_of_use:
                continue
            if there.file_size and there.content_hash and self._has(device, there):
                return _SourceFile(device, there, there.file_size, there.content_hash)
        return None

    def _has(self, device: AttachedDevice, there: Download) -> bool:
        try:
            facts = self._registry.get(device.id).folder.stat(there.file_path)
        except DeviceError as trouble:
            log.info("%s is not looked at for copies: %s", device.settings.name, trouble)
            return False
        return facts is not None and facts.size == there.file_size


def _is_still(item: Item, twin: _SourceFile) -> bool:
    """Whether the account may have the item, and the file is the version that the server has."""
    return (
        item.can_download is True
        and item.source_etag is not None
        and item.source_etag == twin.download.source_etag
        and item.size == (twin.download.source_size or twin.size)
    )
