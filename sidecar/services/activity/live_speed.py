"""Remembers how fast was fetched in the last minutes, for the chart that moves."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from sidecar.clock import Clock
from sidecar.events import Event, TransfersProgressed
from sidecar.services.accounts.person import Person

STEP_S = 5.0
STEPS = 60


@dataclass(frozen=True, slots=True)
class LiveSpeedView:
    """How fast was fetched lately, in bytes a second.

    Attributes:
        steps: In each five seconds of the last five minutes, the oldest first.
    """

    steps: Sequence[float]

    @property
    def now(self) -> float:
        """The speed of the last five seconds that are over, or that have begun."""
        return self.steps[-1] or self.steps[-2]

    @property
    def minutes(self) -> Sequence[float]:
        """The average of each minute, the oldest first."""
        size = int(60 / STEP_S)
        parts = [self.steps[begin : begin + size] for begin in range(0, STEPS, size)]
        return [sum(one) / size for one in parts]


class LiveSpeed:
    """Listens to the running transfers. Safe for many threads."""

    def __init__(
        self, owners: Callable[[Collection[int]], Mapping[int, Collection[str]]], clock: Clock
    ) -> None:
        """Prepare; `owners` returns the accounts that want each of these downloads."""
        self._owners = owners
        self._clock = clock
        self._lock = Lock()
        self._steps: OrderedDict[int, Mapping[int, float]] = OrderedDict()

    def hear(self, event: Event) -> None:
        """Note the speeds that an event tells of; others are left alone."""
        if not isinstance(event, TransfersProgressed):
            return
        step = self._step_now()
        speeds = {one.download_id: one.speed for one in event.transfers if one.speed}
        with self._lock:
            self._steps[step] = {**self._steps.get(step, {}), **speeds}
            while len(self._steps) > STEPS:
                self._steps.popitem(last=False)

    def of(self, person: Person) -> LiveSpeedView:
        """Return the speeds of what a person wants, for an admin of everything."""
        now = self._step_now()
        with self._lock:
            known = [self._steps.get(one, {}) for one in range(now - STEPS + 1, now + 1)]
        ids = {number for one in known for number in one}
        owners = {} if person.is_admin or not ids else self._owners(ids)

        def is_seen(number: int) -> bool:
            return person.is_admin or person.user_id in owners.get(number, ())

        return LiveSpeedView(
            [sum(speed for number, speed in one.items() if is_seen(number)) for one in known]
        )

    def _step_now(self) -> int:
        return int(self._clock.monotonic() // STEP_S)
