"""Copies a file from another device that has it, instead of fetching it from Jellyfin again.

    on another device? ─▶ may this account still have it, in this version? ─▶ copied, hash compared

A file that was converted is copied for a device that takes the same format, and for no other.

Jellyfin is asked for the item, never for its bytes: it alone knows what an account may have today
and whether the file there is still the newest. Whatever is in the way, the caller asks Jellyfin
for the file as if there were no other device.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from threading import Event

from sidecar.domain.downloads.states import Download
from sidecar.domain.items.item import Item
from sidecar.errors import DeviceError
from sidecar.jellyfin.client import Jellyfin
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.store.downloads.queue import Downloads
from sidecar.transfer.copying import CopyFailed, Original, copy
from sidecar.transfer.engine import Receipt, TransferReport

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _SourceFile:
    """The same item, finished, on another device."""

    device: AttachedDevice
    download: Download
    size: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Copied:
    """A file that was copied.

    Attributes:
        receipt: As an engine would have given it.
        twin: Whose file it is, if it is in the wanted format already; None if it is the original
            and another format is wanted.
    """

    receipt: Receipt
    twin: Download | None


class DeviceCopy:
    """Brings files from device to device. Safe for many threads."""

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
    ) -> Copied | None:
        """Copy the file of a download, if another device has it; None if none has.

        Args:
            device: Where it is to go.
            client: Of the account that asked for it.
            download: What is wanted; its part may hold some of it.
            report: Told how it goes on.
            stop: Ends it within one block.

        Raises:
            transfer.copying.CopyFailed: It was begun, and the part is empty again.
            errors.JellyfinError: The account cannot be asked about, or may not see the item.
            domain.failures.TransferFailed: The part cannot be written.
            errors.Stopped: `stop` was set.
        """
        twin = self._twin(download)
        if twin is None or not _is_still(client.item(download.item_id), twin):
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
                receipt = copy(original, part, report, stop, held=download.bytes_downloaded)
            except CopyFailed as failed:
                name = twin.device.settings.name
                log.warning("%s on %s: %s", twin.download.file_path, name, failed)
                raise
        log.info("%s was copied from %s", download.title, twin.device.settings.name)
        is_as_wanted = twin.download.format == download.format
        return Copied(receipt, twin.download if is_as_wanted else None)

    def _twin(self, download: Download) -> _SourceFile | None:
        for device in self._registry.all():
            there = self._downloads.queries.by_item(device.id, download.item_id)
            if there is None or device.id == download.device_id:
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
    """Whether this account may have the item, and the twin is the version that the server has."""
    return (
        item.can_download is True
        and item.source_etag is not None
        and item.source_etag == twin.download.source_etag
        and item.size == (twin.download.source_size or twin.size)
    )
