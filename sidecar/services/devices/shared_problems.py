"""Problems of devices that other machines have, noted here as if they were found here.

So notices, notifications, metrics and webhooks take them like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.reports import DeviceReports
from sidecar.services.health.problems import Problem, ProblemKind, Problems


class SharedProblems:
    """Tells and takes over problems. One thread calls `step`.

    The problem that keeps a device from being used is told by the registry.
    """

    def __init__(
        self,
        found: Mapping[ProblemKind, Callable[[str], Problem | None]],
        *,
        problems: Problems,
        registry: DeviceRegistry,
        reports: DeviceReports,
    ) -> None:
        """Prepare; `found` returns the problem of each kind that a device has here."""
        self._found = found
        self._problems = problems
        self._registry = registry
        # What was taken over here is not known here.
        self._told = reports.share("problems", dict[ProblemKind, Problem], _nothing, tell=self._of)
        self._taken: set[tuple[ProblemKind, str]] = set()

    def step(self) -> None:
        """Note the problems that other machines tell, and clear those that they do not any more."""
        here, before, self._taken = {*self._registry.ids_there()}, self._taken, set()
        for device_id in {*self._registry.attached_anywhere()} - here:
            for kind, problem in (self._told(device_id) or {}).items():
                self._taken.add((kind, device_id))
                self._problems.note(kind, device_id, problem)
        for kind, device_id in before - self._taken:
            # Of what is here now it is known here.
            if device_id not in here:
                self._problems.clear(kind, device_id)

    def _of(self, device_id: str) -> dict[ProblemKind, Problem] | None:
        found = {kind: find(device_id) for kind, find in self._found.items()}
        return {kind: problem for kind, problem in found.items() if problem is not None} or None


def _nothing(_device_id: str) -> None:
    """Know nothing of a device."""
