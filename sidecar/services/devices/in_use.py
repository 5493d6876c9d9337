"""A lock for each device, for work that must not run twice at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from sidecar.errors import SidecarError


class DevicesInUse:
    """Lets one caller at a time work on each device; never waits. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ids: set[str] = set()

    @contextmanager
    def only(self, device_id: str, refusal: SidecarError) -> Iterator[None]:
        """Hold a device during a `with` block; raise `refusal` if it is held already."""
        with self._lock:
            if device_id in self._ids:
                raise refusal
            self._ids.add(device_id)
        try:
            yield
        finally:
            with self._lock:
                self._ids.discard(device_id)
