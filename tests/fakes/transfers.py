"""A desk for transfers in memory, for the web alone."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.services.accounts.person import Person
from sidecar.services.transfers.status import TransfersView, VerdictView

WAITS = VerdictView("stick", "Car stick", own_only=True, text="The network is metered", until=None)
USUAL = 5_000_000


@dataclass
class FakeTransfers:
    """Implements `TransfersDesk`; unlike the real one it stops nothing."""

    is_paused: bool = False
    speed_limit: int | None = USUAL

    def transfers(self, person: Person) -> TransfersView:
        return TransfersView(self.is_paused, self.speed_limit, (WAITS,))

    def pause(self, *, paused: bool) -> None:
        self.is_paused = paused

    def limit(self, speed_limit: int | None) -> None:
        self.speed_limit = speed_limit

    def as_usual(self) -> None:
        self.speed_limit = USUAL
