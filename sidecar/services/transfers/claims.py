"""Claims: which downloads workers are busy with, and how to stop them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Event, RLock

from sidecar.domain.downloads.download import Download, Status
from sidecar.events import DownloadChanged
from sidecar.events import Event as News


class Claims:
    """The downloads that workers are busy with. Thread-safe.

    Each can be stopped, e.g. when it is paused or cancelled or its device is ejected.
    """

    def __init__(self) -> None:
        # Held during a claim, so that no other worker claims the same download before it begins.
        self._lock = RLock()
        self._stops: dict[int, tuple[str, Event]] = {}
        self._afterwards: dict[int, list[Callable[[], object]]] = {}
        self._is_over = False

    def busy(self) -> list[int]:
        """Return the ids of the downloads that a worker is busy with."""
        with self._lock:
            return list(self._stops)

    def take(
        self, claim: Callable[[Collection[int]], Download | None]
    ) -> tuple[Download, Event] | None:
        """Claim a download and begin it, atomically.

        Args:
            claim: Takes the ids of the busy downloads; returns the claimed download, or None.

        Returns:
            The download and the event that stops it.
        """
        with self._lock:
            download = claim(list(self._stops))
            return (
                None
                if download is None
                else (download, self.begin(download.id, download.device_id))
            )

    def begin(self, download_id: int, device_id: str) -> Event:
        """Mark a download as busy; return the event that stops it."""
        with self._lock:
            _, stop = self._stops.setdefault(download_id, (device_id, Event()))
            if self._is_over:
                stop.set()
            return stop

    def end(self, download_id: int) -> None:
        """Mark a download as no longer busy, and run what waited for that."""
        with self._lock:
            self._stops.pop(download_id, None)
            due = self._afterwards.pop(download_id, [])
        for act in due:
            act()

    def afterwards(self, download_id: int, act: Callable[[], object]) -> None:
        """Call `act` once no worker is busy with a download; at once if none is.

        Args:
            download_id: The download.
            act: Must not raise; may run in the worker's thread.
        """
        with self._lock:
            if download_id in self._stops:
                self._afterwards.setdefault(download_id, []).append(act)
                return
        act()

    def stop(self, download_id: int) -> None:
        """Ask the worker to stop a download, if one is busy with it."""
        with self._lock:
            if there := self._stops.get(download_id):
                there[1].set()

    def hear(self, news: News) -> None:
        """Listen to the bus: stop what was cancelled or paused while it ran."""
        match news:
            case DownloadChanged(
                download=download, was=Status.DOWNLOADING, now=None | Status.PAUSED
            ):
                self.stop(download.id)
            case _:
                pass

    def busy_on(self, device_id: str) -> bool:
        """Whether a worker is busy with a download for a device."""
        with self._lock:
            return any(for_device == device_id for for_device, _ in self._stops.values())

    def stop_on(self, device_id: str) -> None:
        """Stop all downloads for a device; they go back to pending."""
        with self._lock:
            for for_device, stop in self._stops.values():
                if for_device == device_id:
                    stop.set()

    def stop_unless(self, device_id: str, keep: Callable[[int], bool]) -> None:
        """Stop the downloads for a device, except those for which `keep(id)` is true."""
        with self._lock:
            running = [one for one, there in self._stops.items() if there[0] == device_id]
        for download_id in running:
            if not keep(download_id):
                self.stop(download_id)

    def stop_present(self) -> None:
        """Stop all downloads that are running now, as they may be claimed by others."""
        with self._lock:
            for _, stop in self._stops.values():
                stop.set()

    def stop_all(self) -> None:
        """Stop all downloads, and any that are claimed later."""
        with self._lock:
            self._is_over = True
            self.stop_present()
