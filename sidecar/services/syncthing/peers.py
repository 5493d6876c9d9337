"""Monitors what Syncthing copies from our devices to others, and what has arrived there.

    Syncthing event ─▶ who shares each folder ─▶ what they need ─▶ arrivals
                                                                       │
                     files that may not be evicted yet ◀── `waiting` ──┘

It asks only for what changed, rests ten times as long as the requests took, and changes nothing in
Syncthing. When Syncthing cannot be asked, the last known state counts. Downloads never wait for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.domain.syncthing.peers import LONGEST_WAIT, Peer, PeerWait, wait_for
from sidecar.domain.syncthing.stignore import is_ignored
from sidecar.errors import SyncthingError
from sidecar.events import Bus, DeviceChanged
from sidecar.messages import msg
from sidecar.process.threads import attempt, do_nothing, run_periodically
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.health.problems import Problem, ProblemKind, Problems
from sidecar.services.space.planner import EvictionBlock
from sidecar.services.syncthing.arrivals import ArrivalCheck, CarriedFolder, carried_by
from sidecar.store.syncthing.arrivals import Arrivals
from sidecar.syncthing.client import OtherDevice, SharedFolder, Syncthing

log = logging.getLogger(__name__)

# Time-out of one request for events, so that the thread can stop soon.
NEWS_S = 2
LOOK_AGAIN_S = 60.0
# After an error.
REST_S = 10.0
# Rest in proportion to the time that the requests took.
SHARE = 10.0
LEAST_REST_S = 0.5
# Subject of problems with Syncthing itself; those with one folder have the device's id.
ITSELF = "syncthing"
OF_ONE_FOLDER = frozenset({"unknown-folder", "odd"})


@dataclass(frozen=True, slots=True)
class SyncedFolder:
    """A device of ours that is in a Syncthing folder, as last seen.

    Attributes:
        is_left_alone: Whether Syncthing ignores the `.sidecar` folder there.
    """

    folder: CarriedFolder
    peers: tuple[Peer, ...]
    is_left_alone: bool


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What is known of a device of ours and Syncthing.

    Attributes:
        synced: As last seen; None if it is in no Syncthing folder that is known.
        trouble: The problem with Syncthing or with the folder; None if there is none.
    """

    synced: SyncedFolder | None = None
    trouble: Problem | None = None


class PeerMonitor:
    """Monitors all devices that Syncthing copies. One thread runs it; queries are thread-safe."""

    def __init__(
        self,
        syncthing: Syncthing,
        *,
        registry: DeviceRegistry,
        arrivals: Arrivals,
        problems: Problems,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._syncthing = syncthing
        self._registry = registry
        self._arrivals = arrivals
        self._problems = problems
        self._bus = bus
        self._clock = clock
        self._arriving = ArrivalCheck(syncthing, arrivals, clock)
        self._lock = Lock()
        self._carried: dict[str, SyncedFolder] = {}
        self._waits: dict[str, PeerWait | None] = {}
        self._last_event = 0

    def run(self, stop: Event) -> None:
        """Check all folders whenever Syncthing has an event, until `stop` is set."""
        rest = partial(self._clock.wait, stop, REST_S)
        run_periodically(
            partial(self._follow, stop), stop, do_nothing, "looking at Syncthing", on_failure=rest
        )
        self._syncthing.close()

    def step(self) -> bool:
        """Check all folders once; return whether another check would find more.

        Raises:
            SyncthingError: Syncthing cannot be asked; the last known state stays.
        """
        folders, devices = self._syncthing.folders(), self._syncthing.devices()
        self._problems.clear(ProblemKind.SYNCTHING, ITSELF)
        more, away = False, None

        def look(device: AttachedDevice) -> bool:
            nonlocal away
            try:
                return self._look_at(device, folders, devices)
            except SyncthingError as trouble:
                away = trouble
                return False

        for device in self._registry.all():
            what = f"looking at what Syncthing carries of {device.settings.name}"
            more |= attempt(partial(look, device), what, bool)
            if away is not None:
                raise away
        return more

    def of(self, device_id: str) -> SyncedFolder | None:
        """Return the last known state of a device; None if it is in no Syncthing folder."""
        with self._lock:
            return self._carried.get(device_id)

    def trouble(self, device_id: str) -> Problem | None:
        """Return the problem with Syncthing or with the device's folder; None if there is none."""
        of = self._problems.of
        return of(ProblemKind.SYNCTHING, ITSELF) or of(ProblemKind.SYNCTHING, device_id)

    def report(self, device_id: str) -> SyncReport:
        """Return what is known of a device."""
        return SyncReport(self.of(device_id), self.trouble(device_id))

    def tell(self, device_id: str) -> SyncReport:
        """Return what other machines are told of a device: no single files."""
        synced = self.of(device_id)
        if synced is not None:
            synced = replace(synced, peers=tuple(map(_without_files, synced.peers)))
        return SyncReport(synced, self.trouble(device_id))

    def why_waiting(self, device_id: str) -> str | None:
        """Return what removals wait for, as the end of a sentence; None if they do not wait."""
        wait = self._wait(device_id)
        return wait.text if wait else None

    def last_wait(self, device_id: str) -> str | None:
        """Return the same as it was at the last look, without asking the database."""
        wait = self._waits.get(device_id)
        return wait.text if wait else None

    def waiting(self, device_id: str) -> EvictionBlock | None:
        """Return the files that must not be evicted from a device now; None if all may."""
        wait = self._wait(device_id)
        if wait is None:
            return None
        return EvictionBlock(self._arrivals.before(device_id, wait.before), wait.text)

    def _follow(self, stop: Event) -> None:
        """Check all folders, then wait for an event."""
        try:
            self._clock.wait(stop, self._look())
            self._await_news(stop)
        except SyncthingError as trouble:
            self._tell(ITSELF, trouble)
            self._clock.wait(stop, REST_S)

    def _look(self) -> float:
        """Check all folders until nothing more is found; return how long to rest, in seconds."""
        began = self._clock.monotonic()
        while self.step():
            pass
        return max(LEAST_REST_S, SHARE * (self._clock.monotonic() - began))

    def _await_news(self, stop: Event) -> None:
        until = self._clock.monotonic() + LOOK_AGAIN_S
        while not stop.is_set() and self._clock.monotonic() < until:
            last = self._syncthing.wait_for_event(self._last_event, wait_s=NEWS_S)
            if last != self._last_event:
                self._last_event = last
                return

    def _look_at(
        self,
        device: AttachedDevice,
        folders: Sequence[SharedFolder],
        devices: Mapping[str, OtherDevice],
    ) -> bool:
        folder = carried_by(device.settings, folders)
        if folder is None:
            self._is_not_carried(device)
            return False
        try:
            looked = [
                self._arriving.look(device.id, folder, devices[one])
                for one in folder.shared_with
                if one in devices
            ]
            lines = "\n".join(self._syncthing.ignored(folder.id)).encode()
        except SyncthingError as trouble:
            if trouble.code not in OF_ONE_FOLDER:
                raise
            self._tell(device.id, trouble)
            return False
        self._problems.clear(ProblemKind.SYNCTHING, device.id)
        peers = tuple(peer for peer, _ in looked)
        self._remember(device.id, SyncedFolder(folder, peers, is_ignored(lines, folder.prefix)))
        self._tell_waits(device.id)
        return any(more for _, more in looked)

    def _is_not_carried(self, device: AttachedDevice) -> None:
        with self._lock:
            was = self._carried.pop(device.id, None)
        if was is not None or self._arrivals.peers(device.id):
            self._arrivals.save_peers(device.id, ())
        name, wanted = device.settings.name, device.settings.syncthing_folder
        if wanted is None:
            self._problems.clear(ProblemKind.SYNCTHING, device.id)
            return
        text = msg(
            "Syncthing knows no folder {wanted}, which {name} should be "
            "(settings: devices.syncthing_folder)",
            wanted=wanted,
            name=name,
        )
        self._tell(
            device.id,
            SyncthingError("unknown-folder", text),
        )

    def _remember(self, device_id: str, carried: SyncedFolder) -> None:
        with self._lock:
            self._carried[device_id] = carried
        known = {one.id: one for one in self._arrivals.peers(device_id)}
        if len(known) != len(carried.peers) or any(
            _is_news(one, known.get(one.id)) for one in carried.peers
        ):
            self._arrivals.save_peers(device_id, carried.peers)

    def _wait(self, device_id: str) -> PeerWait | None:
        seen = self.of(device_id)
        peers: Iterable[Peer] = seen.peers if seen else self._arrivals.peers(device_id)
        now = self._clock.now()
        counting = [one for one in peers if one.counts(now)]
        since = now - LONGEST_WAIT
        missing = [
            file
            for one in counting
            for file in self._arrivals.missing(device_id, one.id, since=since)
        ]
        if not missing:
            return None
        newest = self._arrivals.newest(device_id, [one.id for one in counting])
        return wait_for(counting, missing, newest, now)

    def _tell_waits(self, device_id: str) -> None:
        """Have the device planned again when other files may be evicted now."""
        wait = self._wait(device_id)
        before, self._waits[device_id] = self._waits.get(device_id), wait
        if before != wait:
            self._bus.publish(DeviceChanged(device_id))

    def _tell(self, subject: str, trouble: SyncthingError) -> None:
        if self._problems.note(ProblemKind.SYNCTHING, subject, Problem(trouble.code, str(trouble))):
            log.warning("%s", trouble)


def _without_files(peer: Peer) -> Peer:
    # To the minute: a connected device has a new time at each look.
    seen = peer.last_seen and peer.last_seen.replace(second=0, microsecond=0)
    return replace(peer, needs=frozenset(), last_seen=seen)


def _is_news(peer: Peer, known: Peer | None) -> bool:
    if known is None or (peer.name, peer.is_paused) != (known.name, known.is_paused):
        return True
    if peer.last_seen is None or known.last_seen is None:
        return peer.last_seen != known.last_seen
    # A connected device has a new `last_seen` at each check.
    return (peer.last_seen - known.last_seen).total_seconds() >= LOOK_AGAIN_S * 10
