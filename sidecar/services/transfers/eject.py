"""Ejects a device so that a person may unplug it, and attaches it again.

    eject ─▶ transfers stop ─▶ folder is closed ─▶ unplugged ─▶ plugged in ─▶ used again
                                         └── or: reattach ─────────────────────┘

All files on it are synced already, so nothing has to be written back. Its downloads stay queued.
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
    """Ejects and reattaches devices. Thread-safe.

    Both raise `errors.NotVisible` if the person does not use the device, and `errors.NotAManager`
    if they do not manage it.
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
            registry: Closes the device's folder.
            claims: Stops its transfers.
            clock: For waiting until workers have stopped.
        """
        self._access = access
        self._registry = registry
        self._claims = claims
        self._clock = clock

    def eject(self, person: Person, device_id: str) -> None:
        """Stop a device's transfers, wait some seconds for the workers, and close its folder."""
        self._access.managed(person, device_id)
        self._registry.set_aside(device_id)
        self.stop_on(device_id)
        self._registry.eject(device_id)

    def stop_on(self, device_id: str) -> None:
        """Stop a device's transfers, and wait some seconds for the workers."""
        self._claims.stop_on(device_id)
        deadline = self._clock.monotonic() + LET_GO_WITHIN_S
        while self._claims.busy_on(device_id) and self._clock.monotonic() < deadline:
            self._clock.wait(Event(), LOOK_EVERY_S)

    def reattach(self, person: Person, device_id: str) -> None:
        """Let the housekeeping attach an ejected device again, in its next step."""
        self._access.managed(person, device_id)
        self._registry.reattach(device_id)

    def is_ejected(self, device_id: str) -> bool:
        """Whether a device is ejected and may be unplugged."""
        return self._registry.is_ejected(device_id)
