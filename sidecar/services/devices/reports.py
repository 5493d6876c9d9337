"""What is known of each device: here from memory, elsewhere as the machine that has it tells.

    a service knows ─▶ told to the other processes (`services.processes.findings`)
                                                       │
    pages, API, notifications ◀─ the function that `share` returned, on every other machine

With one process `share` returns what it was given: nothing is written, and nothing is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.processes.findings import SharedFindings

T = TypeVar("T")
K = TypeVar("K")


class DeviceReports:
    """Tells other processes of the devices here, and knows what they tell. Thread-safe."""

    def __init__(self, findings: SharedFindings, registry: DeviceRegistry) -> None:
        self._findings = findings
        self._registry = registry

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
        source: Callable[[str], object] = tell or know

        def found() -> Mapping[str, object]:
            told = {one.id: source(one.id) for one in self._registry.all()}
            return {device_id: one for device_id, one in told.items() if one is not None}

        return partial(self._find, self._findings.share_of_devices(kind, form, found), know)

    def _find(
        self, read: Callable[[str], T | None], know: Callable[[str], K], device_id: str
    ) -> T | K:
        if device_id in self._registry.ids_there():
            return know(device_id)
        told = read(device_id)
        # Nobody tells anything: whoever knows why says so.
        return know(device_id) if told is None else told
