"""The current speed limits: set by an admin, else those of the busy hours, else the usual ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from threading import Lock

from sidecar.clock import Clock
from sidecar.config import TransferSettings
from sidecar.domain.transfers.network import find_quiet_end
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.store.meta import Meta

SPEED_LIMIT = "speed_limit"
NONE = "none"
# Limits are requested for each block, so they are cached for so long.
HOLDS_S = 0.5

Pair = tuple[float | None, float | None]


class SpeedLimits:
    """Knows the speed limits, in bytes a second; None for no limit. Thread-safe."""

    def __init__(
        self,
        settings: Callable[[], TransferSettings],
        *,
        zone: Callable[[], tzinfo],
        registry: DeviceRegistry,
        meta: Meta,
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            settings: Returns the present settings.
            zone: Returns the time zone of the busy hours.
            registry: The devices, each of which may have a limit of its own.
            meta: Stores what an admin has set.
            clock: For the busy hours.
        """
        self._settings = settings
        self._zone = zone
        self._registry = registry
        self._meta = meta
        self._clock = clock
        self._lock = Lock()
        self._known: dict[str, tuple[float, Pair]] = {}

    def of(self, device_id: str) -> Pair:
        """Return the limit of all transfers together, and that of one device."""
        now = self._clock.monotonic()
        with self._lock:
            until, known = self._known.get(device_id, (0.0, (None, None)))
        if now < until:
            return known
        found = (self.of_all(), self._of_device(device_id))
        with self._lock:
            self._known[device_id] = now + HOLDS_S, found
        return found

    def of_all(self) -> int | None:
        """Return the limit of all transfers together."""
        said = self._meta.get(SPEED_LIMIT)
        if said:
            return None if said == NONE else int(said)
        settings = self._settings()
        busy, usual = settings.busy_speed_limit, settings.speed_limit
        if busy is not None and settings.busy_hours:
            end = find_quiet_end(settings.busy_hours, self._clock.now(), self._zone())
            usual = usual if end is None else busy
        return None if usual is None else int(usual)

    def change(self, limit: int | None) -> None:
        """Set the limit of all transfers together; None for no limit."""
        self._say(NONE if limit is None else str(limit))

    def as_usual(self) -> None:
        """Use the limits of the settings file again."""
        self._say("")

    def _say(self, word: str) -> None:
        self._meta.set(SPEED_LIMIT, word)
        with self._lock:
            self._known.clear()

    def _of_device(self, device_id: str) -> int | None:
        there = next((one for one in self._registry.all() if one.id == device_id), None)
        limit = there.settings.speed_limit if there else None
        return None if limit is None else int(limit)
