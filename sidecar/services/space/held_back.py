"""Says why a download that waits is not fetched now, although there is no problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidecar.domain.downloads.download import Download
from sidecar.domain.transfers.network import NetworkVerdict
from sidecar.services.space.planner import WaitingForRoom
from sidecar.store.rules.holds import Holds


@dataclass(frozen=True, slots=True)
class WhyHeldBack:
    """Finds the reason: the network rule, or the plan of the device.

    Attributes:
        verdict_on: Returns what may be fetched for a device, wherever that is.
        waiting_for_room: Returns what waits for room there.
        holds: Tell what people asked for themselves.
    """

    verdict_on: Callable[[str], NetworkVerdict | None]
    waiting_for_room: Callable[[str], WaitingForRoom | None]
    holds: Holds

    def __call__(self, download: Download) -> str | None:
        """Return why a download is held back; None if it is not."""
        verdict = self.verdict_on(download.device_id)
        if verdict and verdict.own_only and verdict.text and not self.holds.is_own(download.id):
            return verdict.text
        waiting = self.waiting_for_room(download.device_id)
        return waiting.why(download.id) if waiting else None
