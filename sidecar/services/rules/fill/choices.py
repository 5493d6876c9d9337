"""What was chosen today to fill the devices, from the service that chooses to the rules."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from sidecar.domain.rules.context import Filling


class FillChoices:
    """What was chosen today, by device and account. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._chosen: dict[str, Mapping[str, tuple[Filling, ...]]] = {}

    def of(self, user_id: str, device_id: str) -> tuple[Filling, ...] | None:
        """Return an account's part on a device; None if that is not known since the start."""
        with self._lock:
            return self._chosen.get(device_id, {}).get(user_id)

    def put(self, device_id: str, chosen: Mapping[str, tuple[Filling, ...]]) -> None:
        """Replace what was chosen for a device."""
        with self._lock:
            self._chosen[device_id] = chosen
