"""Which download a worker takes next: none that waits for server, account, room or network.

what may not be fetched now ─▶ the queue's one statement ─▶ a claim and what stops it
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Event

from sidecar.clock import Clock
from sidecar.domain.downloads.states import Download
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.jellyfin_status import JellyfinStatus
from sidecar.services.problems import ProblemKind, Problems
from sidecar.services.transfers.claims import Claims
from sidecar.store.downloads.queue import Downloads


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What is not to be fetched now, although nothing is in trouble.

    Attributes:
        downloads: Those that wait for room.
        own_only: The devices for which only what people asked for themselves is fetched.
    """

    downloads: Callable[[], Collection[int]] = frozenset
    own_only: Callable[[], Collection[str]] = frozenset


class NextDownload:
    """Gives one download after another to the workers. Safe for many threads."""

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
    ) -> None:
        self._downloads = downloads
        self._registry = registry
        self._server = server
        self._problems = problems
        self._claims = claims
        self._clock = clock
        self._held_back = held_back

    def take(self) -> tuple[Download, Event] | None:
        """Claim the next one, with what is set to stop it; None if there is none to take now."""
        return self._claims.take(self._claim) if self._server.is_there else None

    def end(self, download: Download) -> None:
        """Let go of a claim."""
        self._claims.end(download.id)

    def _claim(self, busy: Collection[int]) -> Download | None:
        return self._downloads.queue.claim(
            self._clock.now(),
            blocked_devices=self._registry.blocked(),
            blocked_users=set(self._problems.all_of(ProblemKind.ACCOUNT)),
            busy=[*busy, *self._held_back.downloads()],
            own_only=self._held_back.own_only(),
        )
