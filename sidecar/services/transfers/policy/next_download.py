"""Chooses the download that a worker takes next.

It skips downloads that wait for the server, an account, a device, space or the network. While
something before Jellyfin refuses files, it takes one now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Event

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.presets import PRESETS
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.policy.blocking import FileBlocking
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

    def take(self) -> tuple[Download, Event] | None:
        """Claim the next download; return it with its stop event, None if there is none now."""
        return self._claims.take(self._claim) if self._server.is_there else None

    def end(self, download: Download) -> None:
        """Release the claim on a download."""
        self._claims.end(download.id)

    def _claim(self, busy: Collection[int]) -> Download | None:
        if not self._blocking.may_fetch():
            return None
        taken = self._claim_but([*busy, *self._held_back.downloads()])
        if taken is not None:
            self._blocking.fetches()
        return taken

    def _in_order(self) -> Collection[str]:
        """Return the devices whose players play a folder in the order in which its files came."""
        return [
            one.id for one in self._registry.all() if PRESETS[one.settings.preset].is_in_disk_order
        ]

    def _claim_but(self, busy: Collection[int]) -> Download | None:
        refused = self._blocking.refused()
        for passed_over in ([*busy, *refused], busy) if refused else (busy,):
            taken = self._downloads.queue.claim(
                self._clock.now(),
                blocked_devices=self._registry.blocked(),
                blocked_users=set(self._problems.all_of(ProblemKind.ACCOUNT)),
                busy=passed_over,
                own_only=self._held_back.own_only(),
                in_order=self._in_order(),
            )
            if taken is not None:
                return taken
        return None
