"""Limits the speed of transfers: one limit for all together, one for each device."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.domain.transfers.rate_limit import Bucket

# A waiting transfer notices a changed limit within this time.
GLANCE_S = 0.25
# Shorter waits are skipped: timers are not more exact than this.
LEAST_WAIT_S = 0.001

Limits = Callable[[str], tuple[float | None, float | None]]
NO_LIMITS = (None, None)


def get_no_limits(_device_id: str) -> tuple[None, None]:
    """Return no limits, for all transfers and for the device."""
    return NO_LIMITS


class Bandwidth:
    """Counts the bytes of all transfers against the limits. Thread-safe."""

    def __init__(self, clock: Clock, limits: Limits = get_no_limits) -> None:
        """Prepare.

        Args:
            clock: For all waits.
            limits: Returns the current limits for a device id, in bytes a second: of all transfers
                together, and of this device. Called for each block, so it must be quick.
        """
        self._clock = clock
        self._limits = limits
        self._lock = Lock()
        self._all = Bucket()
        self._of_devices: dict[str, Bucket] = {}

    def block(self, device_id: str, most: int) -> int:
        """Return how many bytes to read at a time, at most `most`."""
        if self._limits(device_id) == NO_LIMITS:
            return most
        with self._lock:
            blocks = [one.block() for one in self._get_buckets(device_id)]
        return min([most, *(one for one in blocks if one is not None)])

    def take(self, device_id: str, count: int, stop: Event) -> float:
        """Count received bytes, and wait until more may be received or `stop` is set.

        Returns:
            The seconds waited.
        """
        if self._limits(device_id) == NO_LIMITS:
            return 0.0
        with self._lock:
            now = began = self._clock.monotonic()
            for one in self._get_buckets(device_id):
                one.take(count, now)
        while (wait := self._wait(device_id)) > LEAST_WAIT_S:
            if self._clock.wait(stop, min(wait, GLANCE_S)):
                break
        return self._clock.monotonic() - began

    def _wait(self, device_id: str) -> float:
        with self._lock:
            now = self._clock.monotonic()
            return max(one.wait(now) for one in self._get_buckets(device_id))

    def _get_buckets(self, device_id: str) -> tuple[Bucket, Bucket]:
        of_all, of_device = self._limits(device_id)
        own = self._of_devices.setdefault(device_id, Bucket())
        now = self._clock.monotonic()
        for bucket, rate in ((self._all, of_all), (own, of_device)):
            if bucket.rate != rate:
                bucket.change(rate, now)
        return self._all, own
