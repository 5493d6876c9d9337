"""What is known of each device: here from memory, elsewhere as the machine that has it tells.

    a service knows ─▶ `step` here: written when it has changed ─▶ `device_reports`
                                                                        │
    pages, API, notifications ◀─ the function that `share` returned ◀───┘ on every other machine

With one process `share` returns what it was given: nothing is written, and nothing is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from pydantic import ValidationError

from sidecar.clock import Clock
from sidecar.events import Bus, DeviceChanged, NoticesChanged
from sidecar.process.threads import attempt
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.processes.told_values import read_value, write_value
from sidecar.store.devices.reports import ReportKey, Reports

log = logging.getLogger(__name__)

# How often one report is written at most, and how many bytes of it a second: that of a large plan
# rests longer.
LEAST_REST_S = 5.0
BYTES_A_S = 20_000.0

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class _Told:
    """What was written last, by which process, and until when nothing else is."""

    process_id: str
    value: object
    rests_until: float


class DeviceReports:
    """Tells other processes of the devices here, and knows what they tell. Thread-safe.

    One thread calls `step`.
    """

    def __init__(self, store: Reports, registry: DeviceRegistry, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._registry = registry
        self._bus = bus
        self._clock = clock
        self._lock = Lock()
        self._sources: dict[str, Callable[[str], object]] = {}
        self._told: dict[tuple[str, str], _Told] = {}
        self._versions = 0
        self._read: dict[tuple[str, str], tuple[ReportKey, object]] = {}
        self._seen: set[ReportKey] = set()

    def share(
        self,
        kind: str,
        form: type[T],
        know: Callable[[str], K],
        *,
        tell: Callable[[str], T | None] | None = None,
    ) -> Callable[[str], T | K]:
        """Tell other processes what is known of each device that is attached here.

        Args:
            kind: Names it in the database.
            form: What it is: of strings, numbers, times, collections and data classes of them.
            know: Returns it for a device that is here; None if there is nothing to tell.
            tell: Returns what is told of it, if that is less or must be quick; else `know`.

        Returns:
            A function like `know` that answers for devices on other machines as well.
        """
        if not self._registry.is_shared:
            return know
        self._sources[kind] = tell or know
        return partial(self._find, kind, form, know)

    def step(self) -> None:
        """Write what has changed, and tell those here what others have written."""
        here = [one.id for one in self._registry.all()]
        for device_id in here:
            for kind, source in self._sources.items():
                attempt(partial(self._tell, device_id, kind, source), f"telling the {kind}")
        for device_id, kind in [one for one in self._told if one[0] not in here]:
            del self._told[device_id, kind]
            self._store.drop(device_id, kind)
        self._follow()

    def _tell(self, device_id: str, kind: str, source: Callable[[str], object]) -> None:
        before, value = self._told.get((device_id, kind)), source(device_id)
        if before is not None and before.process_id != self._store.own_id:
            # The lease of that process has ended, and its reports with it.
            before = None
        if value == (before.value if before else None):
            return
        now, rest_s = self._clock.monotonic(), LEAST_REST_S
        if before is not None and now < before.rests_until:
            return
        if value is None:
            self._store.drop(device_id, kind)
        else:
            content = write_value(value)
            self._versions += 1
            if not self._store.put(device_id, kind, self._versions, content):
                return
            rest_s = max(rest_s, len(content) / BYTES_A_S)
        self._told[device_id, kind] = _Told(self._store.own_id, value, now + rest_s)

    def _follow(self) -> None:
        """Have pages look again at the devices of which others tell something else than before."""
        before, self._seen = self._seen, {*self._store.of_others().values()}
        changed = {one.device_id for one in before ^ self._seen}
        for device_id in changed:
            self._bus.receive(DeviceChanged(device_id))
        if changed:
            self._bus.receive(NoticesChanged())

    def _find(self, kind: str, form: type[T], know: Callable[[str], K], device_id: str) -> T | K:
        if device_id in self._registry.ids_there():
            return know(device_id)
        told: T | None = self._read_told(kind, form, device_id)
        # Nobody tells anything: whoever knows why says so.
        return know(device_id) if told is None else told

    def _read_told(self, kind: str, form: type[T], device_id: str) -> Any:  # noqa: ANN401 - a T
        key = self._store.of_others().get((device_id, kind))
        if key is None:
            return None
        with self._lock:
            known = self._read.get((device_id, kind))
        if known is not None and known[0] == key:
            return known[1]
        content = self._store.read(key)
        if content is None:
            return known[1] if known else None
        try:
            value = read_value(form, content)
        except ValidationError:
            log.warning("what is told of the %s of a device is of another version", kind)
            value = None
        with self._lock:
            self._read[device_id, kind] = key, value
        return value
