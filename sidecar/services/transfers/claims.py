"""Claims: which worker is busy with which download, and how to make it stop."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Event, RLock

from sidecar.domain.downloads.states import Download, Status
from sidecar.events import DownloadChanged
from sidecar.events import Event as News


class Claims:
    """What is being worked on now, and how to stop one of them: paused, cancelled, unplugged."""

    def __init__(self) -> None:
        # Held while a worker claims: nobody else may claim what it has not begun yet.
        self._lock = RLock()
        self._stops: dict[int, tuple[str, Event]] = {}
        self._afterwards: dict[int, list[Callable[[], object]]] = {}
        self._is_over = False

    def busy(self) -> list[int]:
        """Return the ids of the downloads whose part file a worker holds."""
        with self._lock:
            return list(self._stops)

    def take(
        self, claim: Callable[[Collection[int]], Download | None]
    ) -> tuple[Download, Event] | None:
        """Claim a download and begin it, in one go.

        Args:
            claim: Given what is busy, returns what it claimed; None if there is nothing.

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
        """Return the event that stops this one download."""
        with self._lock:
            _, stop = self._stops.setdefault(download_id, (device_id, Event()))
            if self._is_over:
                stop.set()
            return stop

    def end(self, download_id: int) -> None:
        """The worker has let go of it."""
        with self._lock:
            self._stops.pop(download_id, None)
            due = self._afterwards.pop(download_id, [])
        for act in due:
            act()

    def afterwards(self, download_id: int, act: Callable[[], object]) -> None:
        """Do something to a part file once no worker holds it; at once if none does.

        Args:
            download_id: Whose part file.
            act: Raises nothing; may run in the worker's thread.
        """
        with self._lock:
            if download_id in self._stops:
                self._afterwards.setdefault(download_id, []).append(act)
                return
        act()

    def stop(self, download_id: int) -> None:
        """Ask the worker to let go of one download, if one has it."""
        with self._lock:
            if there := self._stops.get(download_id):
                there[1].set()

    def hear(self, news: News) -> None:
        """Let go of what was cancelled or paused while it ran; a listener for the bus."""
        match news:
            case DownloadChanged(
                download=download, was=Status.DOWNLOADING, now=None | Status.PAUSED
            ):
                self.stop(download.id)
            case _:
                pass

    def busy_on(self, device_id: str) -> bool:
        """Whether a worker holds something for a device."""
        with self._lock:
            return any(for_device == device_id for for_device, _ in self._stops.values())

    def stop_on(self, device_id: str) -> None:
        """Ask the workers to let go of what they fetch for one device: it goes back to waiting."""
        with self._lock:
            for for_device, stop in self._stops.values():
                if for_device == device_id:
                    stop.set()

    def stop_unless(self, device_id: str, keep: Callable[[int], bool]) -> None:
        """Ask the workers to let go of what they fetch for a device, but not of what is kept."""
        with self._lock:
            running = [one for one, there in self._stops.items() if there[0] == device_id]
        for download_id in running:
            if not keep(download_id):
                self.stop(download_id)

    def stop_all(self) -> None:
        """Ask all workers to let go, and whoever claims from now on."""
        with self._lock:
            self._is_over = True
            for _, stop in self._stops.values():
                stop.set()
