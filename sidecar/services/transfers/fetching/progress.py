"""Counts the bytes of running transfers in memory, and publishes them at most twice a second.

The database records bytes only once they are synced to disk; this is what pages show meanwhile. Of
the transfers of other processes it knows what they publish.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Status
from sidecar.domain.transfers.progress import Speedometer, estimate_seconds_left
from sidecar.events import Bus, DownloadChanged, Phase, Progress, TransfersProgressed
from sidecar.events import Event as News
from sidecar.process.threads import LONGEST_REST_S, Wakeup

INTERVAL_S = 0.5


@dataclass(slots=True)
class _Running:
    size: int | None
    held: int = 0
    meter: Speedometer = field(default_factory=Speedometer)
    phase: Phase = Phase.FETCHING
    moved: int = 0


class ProgressTracker:
    """Progress of all running transfers. Thread-safe; `moved` is cheap enough for each block."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._lock = Lock()
        self._running: dict[int, _Running] = {}
        self._told: dict[str, tuple[Progress, ...]] = {}
        self._moved_before = 0
        self.wakeup = Wakeup()
        bus.subscribe(self.hear)

    def begin(self, download_id: int, *, held: int, size: int | None) -> None:
        """Start to track a transfer that has `held` bytes already."""
        running = _Running(size, held)
        running.meter.note(self._clock.monotonic(), held)
        with self._lock:
            is_first = not self._running
            self._running[download_id] = running
        if is_first:
            self.wakeup.set()

    def resize(self, download_id: int, *, held: int, size: int | None) -> None:
        """Set the size that the server reported, and how many bytes of the part count."""
        with self._lock:
            running = self._running[download_id]
            running.held, running.size = held, size if size is not None else running.size

    def moved(self, download_id: int, held: int) -> None:
        """Set the number of bytes in the part file."""
        running = self._running[download_id]
        running.moved += max(0, held - running.held)
        running.held = held

    def convert(self, download_id: int) -> None:
        """Set the phase to converting: all bytes are fetched."""
        with self._lock:
            self._running[download_id].phase = Phase.CONVERTING

    def converted(self, download_id: int, share: float) -> None:
        """Set how much of a film is converted: its bytes count a second time, from none."""
        with self._lock:
            running = self._running[download_id]
            running.held = int((running.size or 0) * min(max(share, 0.0), 1.0))

    def end(self, download_id: int) -> None:
        """Stop to track a transfer."""
        with self._lock:
            ended = self._running.pop(download_id, None)
            self._moved_before += ended.moved if ended else 0

    def moved_in_all(self) -> int:
        """Return how many bytes came since the start, those of broken transfers included."""
        with self._lock:
            return self._moved_before + sum(one.moved for one in self._running.values())

    def now(self) -> tuple[Progress, ...]:
        """Measure all running transfers."""
        at = self._clock.monotonic()
        with self._lock:
            return tuple(
                _measured(download_id, running, at)
                for download_id, running in sorted(self._running.items())
            )

    def last(self) -> tuple[Progress, ...]:
        """Return what all processes published last."""
        with self._lock:
            return tuple(chain.from_iterable(self._told.values()))

    def own(self) -> tuple[Progress, ...]:
        """Return what this process published last."""
        with self._lock:
            return self._told.get("", ())

    def hear(self, news: News) -> None:
        """Note what is published; a listener for the bus."""
        match news:
            case TransfersProgressed(transfers, process):
                with self._lock:
                    self._told[process] = transfers
            case DownloadChanged(download=ended, was=Status.DOWNLOADING, now=now):
                if now is not Status.DOWNLOADING:
                    self._forget(ended.id)
            case _:
                pass

    def _forget(self, download_id: int) -> None:
        """Forget a transfer of another process, which may be dead and tell nothing of its end."""
        with self._lock:
            for process in filter(None, tuple(self._told)):
                left = [one for one in self._told[process] if one.download_id != download_id]
                self._told[process] = tuple(left)

    def tell(self) -> None:
        """Publish one event for all transfers, if anything changed since the last."""
        at = self._clock.monotonic()
        with self._lock:
            for running in self._running.values():
                running.meter.note(at, running.held)
        measured = self.now()
        if measured != self._told.get("", ()):
            self._bus.publish(TransfersProgressed(measured))

    def run(self, stop: Event) -> None:
        """Publish the progress twice a second until `stop` is set; rest while nothing runs."""
        while not self._clock.wait(stop, INTERVAL_S):
            rings = self.wakeup.rings
            self.tell()
            if not self._running:
                self.wakeup.wait(LONGEST_REST_S, since=rings)


def _measured(download_id: int, running: _Running, at: float) -> Progress:
    speed = running.meter.speed(at)
    left = estimate_seconds_left(running.held, running.size, speed)
    if running.phase is Phase.CONVERTING:
        # These bytes go over no network.
        speed = 0.0
    return Progress(download_id, running.held, running.size, speed, left, running.phase)
