"""Chooses the download that a worker takes next.

It skips downloads that wait for the server, an account, a device, space or the network. While
something before Jellyfin refuses files, it takes one now and then. While files arrive one after
another, it claims the next few together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from threading import Event

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.presets import PRESETS
from sidecar.domain.transfers.together import HELD_S, QUICK_S, find_limit
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.policy.blocking import FileBlocking
from sidecar.store.downloads.order import NotNow
from sidecar.store.downloads.queue import Downloads


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
        # Workers change these without a lock: a count that gets lost costs nothing.
        self._quick = 0
        self._claimed_at = 0.0
        self._taken_at: dict[int, float] = {}

    def take(self) -> tuple[Download, Event] | None:
        """Claim the next download; return it with its stop event, None if there is none now."""
        may_fetch = self._server.is_there and self._blocking.may_fetch()
        now = self._clock.monotonic()
        if not may_fetch or self._is_held_too_long(now):
            self._claims.give_back()
            self._quick = 0
        taken = self._claims.take_next(self._claim) if may_fetch else None
        if taken is not None:
            self._taken_at[taken[0].id] = now
        return taken

    def arrived(self, download: Download) -> None:
        """Note that a file has arrived: if that was quick, more are claimed together."""
        taken_at = self._taken_at.get(download.id, 0.0)
        is_quick = self._clock.monotonic() <= taken_at + QUICK_S
        self._quick = self._quick + 1 if is_quick else 0

    def end(self, download: Download) -> None:
        """Release the claim on a download."""
        self._taken_at.pop(download.id, None)
        self._claims.end(download.id)

    def give_back_held(self) -> None:
        """Give back what was claimed ahead while all workers are busy for long."""
        if self._is_held_too_long(self._clock.monotonic()):
            self._claims.give_back()

    def _is_held_too_long(self, now: float) -> bool:
        return now > self._claimed_at + HELD_S

    def _in_order(self) -> Collection[str]:
        """Return the devices whose players play a folder in the order in which its files came."""
        return [
            one.id for one in self._registry.all() if PRESETS[one.settings.preset].is_in_disk_order
        ]

    def _claim(self, busy: Collection[int]) -> Sequence[Download]:
        if not self._blocking.may_fetch():
            return ()
        busy = [*busy, *self._held_back.downloads()]
        refused = self._blocking.refused()
        self._claimed_at = self._clock.monotonic()
        for passed_over in ([*busy, *refused], busy) if refused else (busy,):
            claimed = self._downloads.queue.claim_together(
                self._clock.now(),
                NotNow(
                    devices=self._registry.blocked(),
                    users=set(self._problems.all_of(ProblemKind.ACCOUNT)),
                    downloads=passed_over,
                    own_only=self._held_back.own_only(),
                ),
                in_order=self._in_order(),
                at_most=1 if refused else find_limit(self._quick),
            )
            if claimed:
                self._blocking.fetches()
                return claimed
        return ()
