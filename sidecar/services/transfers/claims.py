"""Claims: which downloads workers are busy with, and how to stop them.

    claimed together ──▶ the first: a worker fetches it
                     └─▶ the others: ahead, for the workers that are free next; or given back

A download is busy from its claim to its end, also while it is ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from threading import Event, RLock

from sidecar.domain.downloads.download import Download, Status
from sidecar.events import DownloadChanged
from sidecar.events import Event as News
from sidecar.process.threads import attempt


class Claims:
    """The downloads that workers are busy with, or will be next. Thread-safe.

    Each can be stopped, e.g. when it is paused or cancelled or its device is ejected. What no
    worker has begun is given back then.
    """

    def __init__(
        self, give_back: Callable[[Sequence[Download]], object] = lambda _downloads: None
    ) -> None:
        """Prepare.

        Args:
            give_back: Queues again what was claimed and not begun.
        """
        self._give_back = give_back
        # Held during a claim, so that no other worker claims the same download before it begins.
        self._lock = RLock()
        self._stops: dict[int, tuple[str, Event]] = {}
        self._ahead: deque[Download] = deque()
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

    def take_next(
        self, claim: Callable[[Collection[int]], Sequence[Download]]
    ) -> tuple[Download, Event] | None:
        """Return what was claimed ahead, or claim some downloads and begin the first, atomically.

        Args:
            claim: As for `take`; returns the claimed downloads.
        """
        with self._lock:
            if not self._ahead and not self._is_over:
                for one in claim(list(self._stops)):
                    self.begin(one.id, one.device_id)
                    self._ahead.append(one)
            if not self._ahead:
                return None
            download = self._ahead.popleft()
            return download, self._stops[download.id][1]

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
        self._stop(lambda one, _device: one == download_id)

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
        self._stop(lambda _one, device: device == device_id)

    def stop_unless(self, device_id: str, keep: Callable[[int], bool]) -> None:
        """Stop the downloads for a device, except those for which `keep(id)` is true."""
        with self._lock:
            running = [one for one, there in self._stops.items() if there[0] == device_id]
        # Asked without the lock: it may have to read the database.
        others = {one for one in running if not keep(one)}
        self._stop(lambda one, _device: one in others)

    def stop_present(self) -> None:
        """Stop all downloads that are running now, as they may be claimed by others."""
        self._stop(lambda _one, _device: True)

    def stop_all(self) -> None:
        """Stop all downloads, and any that are claimed later."""
        with self._lock:
            self._is_over = True
        self.stop_present()

    def give_back(self) -> None:
        """Queue again what was claimed ahead."""
        with self._lock:
            left = list(self._ahead)
            self._ahead.clear()
        self._return(left)

    def give_back_lost(self, find: Callable[[], Sequence[Download]]) -> None:
        """Queue again what nobody is busy with, as where the database refused to.

        Args:
            find: Returns what is claimed; no other is claimed meanwhile.
        """
        with self._lock:
            lost = [one for one in find() if one.id not in self._stops]
            if lost:
                self._give_back(lost)

    def _stop(self, which: Callable[[int, str], bool]) -> None:
        with self._lock:
            for number, (device_id, stop) in self._stops.items():
                if which(number, device_id):
                    stop.set()
            left = [one for one in self._ahead if self._stops[one.id][1].is_set()]
            for one in left:
                self._ahead.remove(one)
        self._return(left)

    def _return(self, left: Sequence[Download]) -> None:
        if left:
            attempt(partial(self._give_back, left), "giving downloads back to the queue")
            for one in left:
                self.end(one.id)
