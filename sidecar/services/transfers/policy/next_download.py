"""Chooses the download that a worker takes next.

It skips downloads that wait for the server, an account, a device, space or the network. While
something before Jellyfin refuses files, it takes one now and then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.presets import PRESETS
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.policy.blocking import FileBlocking
from sidecar.store.downloads.queue import Downloads

# Claimed at a time is what a worker fetches in this time, and not more than this.
AHEAD_S = 0.25
MOST_AHEAD = 8
# What nobody has taken in this time goes back into the queue: something may be more urgent now.
AHEAD_AT_MOST_S = 1.0
NEVER_S = float("inf")


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A download that is claimed, its stop event, and when it was claimed."""

    download: Download
    stop: Event
    at: float


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What must not be fetched now, although there is no problem.

    Attributes:
        downloads: Returns the ids of downloads that wait for space.
        own_only: Returns the ids of devices that get only what people asked for themselves.
    """

    downloads: Callable[[], Collection[int]] = frozenset
    own_only: Callable[[], Collection[str]] = frozenset


class NextDownload:
    """Claims downloads for the workers. Thread-safe."""

    def __init__(
        self,
        *,
        downloads: Downloads,
        registry: DeviceRegistry,
        server: JellyfinStatus,
        problems: Problems,
        claims: Claims,
        clock: Clock,
        held_back: HeldBack,
        blocking: FileBlocking,
    ) -> None:
        self._downloads = downloads
        self._registry = registry
        self._server = server
        self._problems = problems
        self._claims = claims
        self._clock = clock
        self._held_back = held_back
        self._blocking = blocking
        self._lock = Lock()
        self._ahead: deque[_Claimed] = deque()
        self._given: dict[int, float] = {}
        self._took_s = NEVER_S

    def take(self) -> tuple[Download, Event] | None:
        """Return the next claimed download with its stop event, None if there is none now.

        Where files take a moment only, some are claimed at a time: what is claimed ahead goes to
        whichever worker is free first. Its event is set if it is to be given back.
        """
        with self._lock:
            if not self._ahead and self._server.is_there:
                claimed = self._claims.take_some(self._claim)
                since = self._clock.monotonic()
                self._ahead.extend(_Claimed(*one, since) for one in claimed)
            if not self._ahead:
                return None
            one, now = self._ahead.popleft(), self._clock.monotonic()
            if now - one.at > AHEAD_AT_MOST_S:
                one.stop.set()
            if not one.stop.is_set():
                self._given[one.download.id] = now
            return one.download, one.stop

    def end(self, download: Download) -> None:
        """Release the claim on a download."""
        self._took_s = self._clock.monotonic() - self._given.pop(download.id, -NEVER_S)
        self._claims.end(download.id)

    def give_back(self) -> None:
        """Let workers give back what is claimed ahead: something went wrong, or they end."""
        with self._lock:
            self._given.clear()
            for one in self._ahead:
                one.stop.set()

    @property
    def has_ahead(self) -> bool:
        """Whether something is claimed that no worker has taken yet."""
        return bool(self._ahead)

    def _claim(self, busy: Collection[int]) -> Sequence[Download]:
        if not self._blocking.may_fetch():
            return ()
        claimed = self._claim_but([*busy, *self._held_back.downloads()])
        if claimed:
            self._blocking.fetches()
        return claimed

    def _count_ahead(self) -> int:
        """Return how many may be claimed at a time: what a worker does in a moment."""
        return max(1, min(MOST_AHEAD, int(AHEAD_S / max(self._took_s, AHEAD_S / MOST_AHEAD))))

    def _in_order(self) -> Collection[str]:
        """Return the devices whose players play a folder in the order in which its files came."""
        return [
            one.id for one in self._registry.all() if PRESETS[one.settings.preset].is_in_disk_order
        ]

    def _claim_but(self, busy: Collection[int]) -> Sequence[Download]:
        refused = self._blocking.refused()
        most = 1 if refused else self._count_ahead()
        for passed_over in ([*busy, *refused], busy) if refused else (busy,):
            claimed = self._downloads.queue.claim_some(
                self._clock.now(),
                most,
                blocked_devices=self._registry.blocked(),
                blocked_users=set(self._problems.all_of(ProblemKind.ACCOUNT)),
                busy=passed_over,
                own_only=self._held_back.own_only(),
                in_order=self._in_order(),
            )
            if claimed:
                return claimed
        return ()
