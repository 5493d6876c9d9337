"""Whether a process with the role `watch` runs: without it no rule runs and nothing is told."""

from __future__ import annotations

from sidecar.domain.processes.roles import Roles, Task
from sidecar.events import Bus, NoticesChanged
from sidecar.store.processes import Processes


class WatcherLookout:
    """Knows whether any process watches. One thread calls `step`; the rest is for many threads."""

    def __init__(self, processes: Processes, bus: Bus, roles: Roles) -> None:
        """Prepare; `roles` are those of this process."""
        self._processes = processes
        self._bus = bus
        self._roles = roles
        self._is_missing = False

    def is_missing(self) -> bool:
        """Whether none did at the last look."""
        return self._is_missing

    def step(self) -> None:
        """Look, and tell of a change."""
        before, self._is_missing = self._is_missing, not self._is_there()
        if before is not self._is_missing:
            self._bus.receive(NoticesChanged())

    def _is_there(self) -> bool:
        if self._roles.is_alone or self._roles.watches:
            return True
        others = [one for one in self._processes.all() if one.id != self._processes.own_id]
        # One without roles does all.
        return any(not one.roles or Task.WATCH in one.roles.split(",") for one in others)
