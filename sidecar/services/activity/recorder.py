"""Takes the samples that charts are drawn of: what is fetched, and how full the devices are.

It also keeps the list of what happened short.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import tzinfo

from sidecar.clock import Clock
from sidecar.events import Phase, Progress
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.store.devices.samples import ALL, SLOT_S
from sidecar.store.stores import Stores

SPACE_EVERY_S = 3600.0
# So that a chart shows soon what is being fetched.
SPEED_EVERY_S = 30.0
# After a longer break nobody knows what was fetched meanwhile.
LONGEST_STEP_S = 30.0


class ActivityRecorder:
    """Takes samples; one thread calls `step`."""

    def __init__(
        self,
        *,
        stores: Stores,
        registry: DeviceRegistry,
        running: Callable[[], Sequence[Progress]],
        zone: Callable[[], tzinfo],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            stores: The samples, and what is on the devices.
            registry: The devices.
            running: Returns the progress of the running transfers.
            zone: Returns the time zone that days are counted in.
            clock: For everything.
        """
        self._activity = stores.activity
        self._samples = stores.samples
        self._downloads = stores.downloads
        self._holds = stores.holds
        self._registry = registry
        self._running = running
        self._zone = zone
        self._clock = clock
        self._looked_at: float | None = None
        self._space_at = 0.0
        self._speed_at = 0.0
        self._slot: int | None = None
        self._fetched: Counter[str] = Counter()

    def step(self) -> None:
        """Count what was fetched since the last step, and write what is due."""
        now = self._clock.monotonic()
        passed = min(now - self._looked_at, LONGEST_STEP_S) if self._looked_at is not None else 0.0
        self._looked_at = now
        slot = int(self._clock.now().timestamp()) // SLOT_S
        if self._slot is not None and (slot != self._slot or now >= self._speed_at):
            self._speed_at = now + SPEED_EVERY_S
            self._write_speed(self._slot)
        self._slot = slot
        running = [one for one in self._running() if one.speed and one.phase is Phase.FETCHING]
        owners = self._holds.owners([one.download_id for one in running])
        for one in running:
            octets = int(one.speed * passed)
            self._fetched[ALL] += octets
            for user_id in owners.get(one.download_id, ()):
                self._fetched[user_id] += octets
        if now >= self._space_at:
            self._space_at = now + SPACE_EVERY_S
            self._write_space()
            self._activity.drop_old()

    def _write_speed(self, slot: int) -> None:
        fetched, self._fetched = self._fetched, Counter()
        if any(fetched.values()):
            self._samples.note_speed(slot, fetched)

    def _write_space(self) -> None:
        use = self._downloads.queries.use_of_devices()
        found = {}
        for device in self._registry.all():
            if device.id in use:
                there = use[device.id]
                budget = device.settings.budget
                most = None if budget is None else int(budget)
                found[device.id] = there.bytes - there.bytes_missing, most
        if found:
            self._samples.note_space(self._clock.now().astimezone(self._zone()).date(), found)
