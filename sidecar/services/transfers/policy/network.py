"""The network rule: which devices get everything now, and which only what people asked for.

An automatic download that may no longer run is stopped and becomes pending again, without using up
a retry. What a person asked for is never stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, tzinfo
from threading import Lock

from sidecar.clock import Clock
from sidecar.config import DeviceSettings, NetworkSettings
from sidecar.config.zones import load_zone
from sidecar.domain.transfers.network import (
    Line,
    NetworkVerdict,
    Use,
    find_quiet_end,
    judge,
)
from sidecar.events import Bus, WorkArrived
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.transfers.claims import Claims
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

# What is kept for all processes: whether a person paused, and when an admin let all through last.
PAUSED, LET_THROUGH = "transfers_paused", "transfers_let_through"
LOOK_EVERY_S = 5.0
# Another process may pause: what is kept is read again after so long.
HOLDS_S = 2.0


@dataclass(frozen=True, slots=True)
class LetThrough:
    """What an admin lets be fetched in spite of the rule.

    Attributes:
        line: Over this connection, until there is another; None is none.
        until: Until these quiet hours end; None outside them.
    """

    line: Line | None = None
    until: datetime | None = None


class NetworkPolicy:
    """Knows what may be fetched now. Thread-safe; one thread calls `step`."""

    def __init__(
        self,
        settings: Callable[[], NetworkSettings],
        *,
        stores: Stores,
        look: Callable[[], Line],
        registry: DeviceRegistry,
        claims: Claims,
        bus: Bus,
        clock: Clock,
    ) -> None:
        """Prepare; does not look at the network yet.

        Args:
            settings: Returns the present settings for all devices.
            stores: What people asked for themselves, and whether automatic downloads are paused.
            look: Returns the state of the network; called every few seconds at most.
            registry: The devices, each of which may have its own setting.
            claims: Stops running downloads.
            bus: Gets an event when more may be fetched again.
            clock: For quiet hours and intervals.
        """
        self._settings = settings
        self._zone: tuple[str | None, tzinfo] | None = None
        self._look = look
        self._registry = registry
        self._claims = claims
        self._holds = stores.holds
        self._meta = stores.meta
        self._bus = bus
        self._clock = clock
        self._lock = Lock()
        self._line = Line()
        self._looked_at: float | None = None
        self._is_paused = False
        self._paused_read_at: float | None = None
        self._let_through_at: str | None = None
        self._has_stepped = False
        self._own_only: frozenset[str] = frozenset()
        self._let_through = LetThrough()

    @property
    def is_paused(self) -> bool:
        """Whether a person has paused automatic downloads, in whatever process."""
        now = self._clock.monotonic()
        with self._lock:
            if self._paused_read_at is None or now - self._paused_read_at >= HOLDS_S:
                self._is_paused = self._meta.get(PAUSED) == "yes"
                self._paused_read_at = now
            return self._is_paused

    def pause(self, *, paused: bool) -> None:
        """Pause automatic downloads, or resume them; kept over a restart."""
        self._meta.set(PAUSED, "yes" if paused else "no")
        with self._lock:
            self._paused_read_at = None
        log.info("automatic downloads are %s", "paused" if paused else "let go on")
        self.step()

    def try_now(self) -> None:
        """Let everything be fetched over this connection and in these quiet hours, while they last.

        A person's pause is not lifted: that has a switch of its own.
        """
        self._let_all_through()
        # The other processes do the same, each over its own connection.
        self._let_through_at = self._clock.now().isoformat()
        self._meta.set(LET_THROUGH, self._let_through_at)
        log.info("everything is fetched now in spite of the network rule, as an admin wants it")
        self.step()

    def verdict(
        self, settings: DeviceSettings | None = None, *, is_here: bool = True
    ) -> NetworkVerdict:
        """Return what may be fetched for a device.

        Args:
            settings: Its settings; None for devices without own ones.
            is_here: Whether it is on this machine; the connection of another one is not known.
        """
        own, usual = settings, self._settings()
        use = own.network if own and own.network else usual.use
        line, now, let = self._line_now(), self._clock.now(), self._let_through
        return judge(
            Use(use) if is_here and line != let.line else Use.ANY,
            line,
            () if let.until is not None and now < let.until else usual.quiet_hours,
            now=now,
            zone=self._zone_of(usual),
            is_paused=self.is_paused,
        )

    def own_only(self) -> Collection[str]:
        """Return the ids of the devices that now get only what people asked for."""
        return frozenset(
            one.id for one in self._registry.all() if self.verdict(one.settings).own_only
        )

    def verdict_on(self, device_id: str) -> NetworkVerdict | None:
        """Return what may be fetched for a device, on whatever machine; None if it is on none."""
        there = self._registry.attached_anywhere().get(device_id)
        if there is None:
            return None
        return self.verdict(there, is_here=self._registry.find(device_id) is not None)

    def step(self) -> None:
        """Stop what may no longer run, and publish an event when more may run again."""
        self._hear_of_others()
        own_only = frozenset(self.own_only())
        with self._lock:
            before, self._own_only = self._own_only, own_only
        for device_id in own_only:
            self._claims.stop_unless(device_id, self._holds.is_own)
        if before - own_only:
            self._bus.publish(WorkArrived())

    def _hear_of_others(self) -> None:
        """Let through what an admin lets through in another process; not what was before."""
        at = self._meta.get(LET_THROUGH)
        is_new, self._let_through_at = at != self._let_through_at, at
        if is_new and self._has_stepped:
            self._let_all_through()
        self._has_stepped = True

    def _let_all_through(self) -> None:
        usual, line = self._settings(), self._line_now()
        until = find_quiet_end(usual.quiet_hours, self._clock.now(), self._zone_of(usual))
        with self._lock:
            self._let_through = LetThrough(line, until)

    def _zone_of(self, settings: NetworkSettings) -> tzinfo:
        known, name = self._zone, settings.time_zone
        if known is None or known[0] != name:
            self._zone = known = name, load_zone(name)
        return known[1]

    def _line_now(self) -> Line:
        now = self._clock.monotonic()
        with self._lock:
            if self._looked_at is not None and now - self._looked_at < LOOK_EVERY_S:
                return self._line
            self._looked_at = now
        # Not under the lock: it may take a second or two.
        line = self._look()
        with self._lock:
            if line != self._line:
                log.info("the network is %s, metered: %s", line.kind, line.is_metered)
                self._let_through = LetThrough(until=self._let_through.until)
            self._line = line
        return line
