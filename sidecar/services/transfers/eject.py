"""Ejects a device so that a person may unplug it, and attaches it again.

    unplug ─▶ its transfers stop ─▶ its folder is closed ─▶ pulled out ─▶ plugged in ─▶ used again
                                              └── or: use ────────────────────────────────┘

Everything that is on it is durable already: nothing is written back late. What waits for it waits.
"""

from __future__ import annotations

from threading import Event

from sidecar.clock import Clock
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.transfers.claims import Claims

LET_GO_WITHIN_S = 5.0
LOOK_EVERY_S = 0.02


class EjectService:
    """Ejects devices and takes them into use again. Safe for many threads.

    Both changes raise `errors.NotVisible` for a device that is none of this person's, and
    `errors.NotAManager` for who uses a device without managing it.
    """

    def __init__(
        self,
        *,
        access: DeviceAccess,
        registry: DeviceRegistry,
        claims: Claims,
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            access: Who may manage a device.
            registry: Lets go of the folder.
            claims: Stops what is fetched for it.
            clock: For how long is waited for a worker.
        """
        self._access = access
        self._registry = registry
        self._claims = claims
        self._clock = clock

    def eject(self, person: Person, device_id: str) -> None:
        """Let go of a device once the workers have."""
        self._access.managed(person, device_id)
        self._registry.set_aside(device_id)
        self._claims.stop_on(device_id)
        deadline = self._clock.monotonic() + LET_GO_WITHIN_S
        while self._claims.busy_on(device_id) and self._clock.monotonic() < deadline:
            self._clock.wait(Event(), LOOK_EVERY_S)
        self._registry.eject(device_id)

    def reattach(self, person: Person, device_id: str) -> None:
        """Attach a device again: the next look of the housekeeping finds it."""
        self._access.managed(person, device_id)
        self._registry.reattach(device_id)

    def is_ejected(self, device_id: str) -> bool:
        """Whether it may be pulled out now."""
        return self._registry.is_ejected(device_id)
