"""Removes the kept originals of converted files once they are not needed any more.

    converted ─▶ kept ─┬─ its file is removed in any way   ─▶ removed as well
                       ├─ another format is wanted         ─▶ converted from it, not fetched
                       └─ `keep_original` is switched off  ─▶ removed, some at a time

`finish` keeps originals, `formats` uses them, and `recovery` cleans up after a crash.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial

from sidecar.domain.downloads.download import Status
from sidecar.domain.formats.formats import ORIGINAL
from sidecar.errors import DeviceError
from sidecar.events import DownloadChanged, Event
from sidecar.process.threads import attempt
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.transfers.finishing.formats import REFORMAT
from sidecar.store.downloads.formats import FormatStore

log = logging.getLogger(__name__)

AT_ONCE = 100


class KeptOriginals:
    """Removes originals that are not needed. Thread-safe; one thread calls `step`."""

    def __init__(self, registry: DeviceRegistry, store: FormatStore) -> None:
        self._registry = registry
        self._store = store

    def hear(self, event: Event) -> None:
        """Listen to the bus: remove the original of a file that is not there any more."""
        match event:
            case DownloadChanged(download=one, was=Status.COMPLETED, now=now):
                is_used = now is Status.PENDING and one.error_code == REFORMAT
                if now is not Status.COMPLETED and one.format != ORIGINAL and not is_used:
                    with suppress(DeviceError):
                        self._registry.get(one.device_id).folder.original(one.id).remove()
            case _:
                pass

    def step(self) -> None:
        """Remove some originals on each device that does not keep them any more."""
        for device in self._registry.all():
            what = f"letting go of originals on {device.settings.name}"
            attempt(partial(self._look_at, device), what)

    def _look_at(self, device: AttachedDevice) -> None:
        if device.settings.keep_original or device.settings.paused:
            return
        try:
            self._let_go(device)
        except DeviceError as trouble:
            self._registry.trouble(device.id, trouble)

    def _let_go(self, device: AttachedDevice) -> None:
        kept = self._store.with_original(device.id, AT_ONCE)
        if not kept:
            return
        for download_id in kept:
            device.folder.original(download_id).remove()
        self._store.forget_originals(kept)
        log.info("%d originals went from %s", len(kept), device.settings.name)
