"""Finds out which files have arrived on another device, with few requests to Syncthing.

A file has arrived if Syncthing knows it with our size and the other device does not need it. A file
that Syncthing does not know yet is checked again later, less often once it is old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sidecar.clock import Clock
from sidecar.config import DeviceSettings
from sidecar.domain.syncthing.peers import UNNOTICED, Peer
from sidecar.store.syncthing.arrivals import Arrivals, Sent
from sidecar.syncthing.client import Completion, OtherDevice, SharedFolder, Syncthing

# One check lists the files of so many folders at most; the next check continues.
FOLDERS_A_LOOK = 200
UNKNOWN_AGAIN_S = 600.0


@dataclass(frozen=True, slots=True)
class CarriedFolder:
    """A Syncthing folder that contains a device of ours.

    Attributes:
        prefix: Path of our device inside the folder: empty, or it ends with a slash.
        shared_with: The ids of the other devices.
    """

    id: str
    label: str
    prefix: str
    shared_with: tuple[str, ...]

    def path(self, ours: str) -> str:
        """Return the path of a file of ours inside the Syncthing folder."""
        return self.prefix + ours


def carried_by(settings: DeviceSettings, folders: Iterable[SharedFolder]) -> CarriedFolder | None:
    """Return the Syncthing folder of a device: the one in the settings, else the innermost one."""
    here = settings.path.resolve()
    if settings.syncthing_folder is not None:
        named = (one for one in folders if one.id == settings.syncthing_folder)
        return next((_carried(one, here) for one in named), None)
    around = [one for one in folders if here.is_relative_to(one.path.resolve())]
    closest = max(around, key=lambda one: len(one.path.resolve().parts), default=None)
    return None if closest is None else _carried(closest, here)


def _carried(folder: SharedFolder, here: Path) -> CarriedFolder:
    root = folder.path.resolve()
    inside = here.relative_to(root).as_posix() if here.is_relative_to(root) else "."
    prefix = "" if inside == "." else f"{inside}/"
    return CarriedFolder(folder.id, folder.label, prefix, folder.shared_with)


class ArrivalCheck:
    """Checks arrivals, and remembers earlier answers. For one thread."""

    def __init__(self, syncthing: Syncthing, arrivals: Arrivals, clock: Clock) -> None:
        self._syncthing = syncthing
        self._arrivals = arrivals
        self._clock = clock
        self._needs: dict[tuple[str, str], tuple[Completion, frozenset[str]]] = {}
        self._unknown: dict[tuple[str, int], float] = {}

    def look(self, device_id: str, folder: CarriedFolder, other: OtherDevice) -> tuple[Peer, bool]:
        """Check how complete a folder is on another device, and store what has arrived there.

        Returns:
            The state of the other device, and whether another check would find more.

        Raises:
            SyncthingError: Syncthing cannot be asked.
        """
        completion = self._syncthing.completion(folder.id, other.id)
        needs = self._needed(device_id, folder, other.id, completion)
        known, more = self._known(device_id, folder, other.id, needs)
        if known:
            # Asked again, for what Syncthing noticed since the first answer. Its `completion` may
            # be a moment old and is not relied on.
            needs = self._ask_needed(folder, other.id)
            self._needs[device_id, other.id] = completion, needs
            arrived = [one for one in known if one.path not in needs]
            self._arrivals.save(other.id, arrived, self._clock.now())
            # If nothing arrived, the next check would only ask the same again.
            more = more and bool(arrived)
        return self._peer(other, completion, needs), more

    def _peer(self, other: OtherDevice, completion: Completion, needs: frozenset[str]) -> Peer:
        return Peer(
            id=other.id,
            name=other.name,
            is_connected=other.is_connected,
            is_paused=other.is_paused,
            last_seen=self._clock.now() if other.is_connected else other.last_seen,
            completion=completion.percent,
            need_bytes=completion.need_bytes,
            need_items=max(completion.need_items, len(needs)),
            needs=needs,
        )

    def _needed(
        self, device_id: str, folder: CarriedFolder, peer_id: str, completion: Completion
    ) -> frozenset[str]:
        before = self._needs.get((device_id, peer_id))
        is_stale = before is not None and bool(before[1]) != bool(completion.need_items)
        if before is None or before[0] != completion or is_stale:
            before = completion, self._ask_needed(folder, peer_id)
            self._needs[device_id, peer_id] = before
        return before[1]

    def _ask_needed(self, folder: CarriedFolder, peer_id: str) -> frozenset[str]:
        return frozenset(
            path.removeprefix(folder.prefix)
            for path in self._syncthing.needed(folder.id, peer_id)
            if path.startswith(folder.prefix)
        )

    def _known(
        self, device_id: str, folder: CarriedFolder, peer_id: str, needs: frozenset[str]
    ) -> tuple[list[Sent], bool]:
        """Return files that Syncthing knows with our size, and whether the limit was reached."""
        known: list[Sent] = []
        looked: dict[str, Mapping[str, int]] = {}
        for one in self._arrivals.absent(device_id, peer_id):
            if one.path in needs or not self._is_due(peer_id, one):
                continue
            below, _, name = folder.path(one.path).rpartition("/")
            if below not in looked:
                if len(looked) == FOLDERS_A_LOOK:
                    return known, bool(known)
                looked[below] = self._syncthing.sizes(folder.id, below)
            if looked[below].get(name) == one.size:
                known.append(one)
            else:
                again = self._clock.monotonic() + UNKNOWN_AGAIN_S
                self._unknown[peer_id, one.download_id] = again
        return known, False

    def _is_due(self, peer_id: str, file: Sent) -> bool:
        """Whether to check a file: always while it is new, else a while after it was unknown."""
        if self._clock.now() - file.completed_at < UNNOTICED:
            return True
        return self._clock.monotonic() >= self._unknown.get((peer_id, file.download_id), 0.0)
