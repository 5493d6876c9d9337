"""Running transfers of other machines, where no Redis tells how far they are."""

from __future__ import annotations

from sidecar.events import Bus, Progress, TransfersProgressed
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.reports import DeviceReports
from sidecar.services.transfers.fetching.progress import ProgressTracker
from sidecar.store.downloads.queue import Downloads


class SharedProgress:
    """Tells what runs here, and takes over what runs elsewhere. One thread calls `step`."""

    def __init__(
        self,
        progress: ProgressTracker,
        downloads: Downloads,
        *,
        registry: DeviceRegistry,
        reports: DeviceReports,
        bus: Bus,
    ) -> None:
        self._progress = progress
        self._downloads = downloads
        self._registry = registry
        self._bus = bus
        self._told = reports.share("transfers", tuple[Progress, ...], _nothing, tell=self._of)
        self._before: dict[str, tuple[Progress, ...]] = {}

    def step(self) -> None:
        """Publish here what other machines tell of their transfers."""
        elsewhere = {*self._registry.attached_anywhere()} - {*self._registry.ids_there()}
        now = {one: running for one in elsewhere if (running := self._told(one))}
        for device_id in self._before.keys() | now.keys():
            running = now.get(device_id, ())
            if running != self._before.get(device_id, ()):
                # A device is with one process at a time.
                self._bus.receive(TransfersProgressed(running, process=f"device:{device_id}"))
        self._before = now

    def _of(self, device_id: str) -> tuple[Progress, ...] | None:
        """Return what runs for a device that is here; None if nothing does, or Redis tells it."""
        if self._bus.hears_others():
            return None
        running = []
        for one in self._progress.own():
            download = self._downloads.queries.get(one.download_id)
            if download is not None and download.device_id == device_id:
                running.append(one)
        return tuple(running) or None


def _nothing(_device_id: str) -> None:
    """Know nothing of a device."""
