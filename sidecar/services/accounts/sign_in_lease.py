"""Lets one sign-in of an account run at a time, in all processes, and others wait for its end.

Jellyfin ends the token that it gave a Jellyfin device before when it gives it a new one. Until the
new one is stored, a refusal of the old one does not say that the account is signed out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event
from uuid import uuid4

from sidecar.clock import Clock
from sidecar.store.meta import Meta

# Nobody waits longer for a sign-in: its process may have been killed.
LASTS = timedelta(seconds=30)
LOOK_EVERY_S = 0.05


class SignInLease:
    """Knows which Jellyfin devices are signing in just now. Safe for many threads."""

    def __init__(self, meta: Meta, clock: Clock) -> None:
        self._meta = meta
        self._clock = clock

    @contextmanager
    def hold(self, device_id: str) -> Iterator[None]:
        """Sign in as this Jellyfin device inside of it, after whoever does so now."""
        key = _key(device_id)
        while True:
            self.wait_for_end(device_id)
            mine = f"{(self._clock.now() + LASTS).isoformat()} {uuid4().hex}"
            if self._meta.replace(key, self._meta.read(key), mine):
                break
        try:
            yield
        finally:
            self._meta.take(key, mine)

    def wait_for_end(self, device_id: str) -> None:
        """Wait until nobody signs in as this Jellyfin device, for as long as a lease lasts."""
        key = _key(device_id)
        began = self._clock.monotonic()
        while self._clock.monotonic() < began + LASTS.total_seconds():
            held = self._meta.read(key)
            if held is None or datetime.fromisoformat(held.split()[0]) < self._clock.now():
                return
            self._clock.wait(Event(), LOOK_EVERY_S)


def _key(device_id: str) -> str:
    return f"signing-in/{device_id}"
