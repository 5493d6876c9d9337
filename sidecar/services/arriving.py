"""Finds out what has arrived on one other device, with as few questions as possible.

A file has arrived if Syncthing knows it as we do and the other device does not need it. What
Syncthing does not know yet has not arrived; it is looked for again, less and less often.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sidecar.clock import Clock
from sidecar.domain.peers import UNNOTICED, Peer
from sidecar.services.carrying import CarriedFolder
from sidecar.store.arrivals import Arrivals, Sent
from sidecar.syncthing.client import Completion, OtherDevice, Syncthing

EVER = datetime(1970, 1, 1, tzinfo=UTC)
# One look asks for the files of so many folders at most; the rest follows in the next.
FOLDERS_A_LOOK = 200
UNKNOWN_AGAIN_S = 600.0


class Arriving:
    """Remembers what was told before. For one thread."""

    def __init__(self, syncthing: Syncthing, arrivals: Arrivals, clock: Clock) -> None:
        self._syncthing = syncthing
        self._arrivals = arrivals
        self._clock = clock
        self._needs: dict[tuple[str, str], tuple[Completion, frozenset[str]]] = {}
        self._unknown: dict[tuple[str, int], float] = {}

    def peer(self, device_id: str, folder: CarriedFolder, other: OtherDevice) -> Peer:
        """Return how far another device is with a folder.

        Raises:
            SyncthingTrouble: It cannot be told.
        """
        completion = self._syncthing.completion(folder.id, other.id)
        return Peer(
            id=other.id,
            name=other.name,
            is_connected=other.is_connected,
            is_paused=other.is_paused,
            last_seen=self._clock.now() if other.is_connected else other.last_seen,
            completion=completion.percent,
            need_bytes=completion.need_bytes,
            need_items=completion.need_items,
            needs=self._needed(device_id, folder, other.id, completion),
        )

    def note(self, device_id: str, folder: CarriedFolder, peer: Peer) -> bool:
        """Remember what has arrived there; return whether there is more to look at.

        Raises:
            SyncthingTrouble: It cannot be told.
        """
        absent = self._arrivals.absent(device_id, peer.id, since=EVER)
        candidates = [
            one for one in absent if one.path not in peer.needs and self._is_due(peer.id, one)
        ]
        arrived: list[Sent] = []
        looked: dict[str, Mapping[str, int]] = {}
        for one in candidates:
            below, _, name = folder.path(one.path).rpartition("/")
            if below not in looked:
                if len(looked) == FOLDERS_A_LOOK:
                    break
                looked[below] = self._syncthing.sizes(folder.id, below)
            if looked[below].get(name) == one.size:
                arrived.append(one)
            else:
                again = self._clock.monotonic() + UNKNOWN_AGAIN_S
                self._unknown[peer.id, one.download_id] = again
        if arrived:
            self._arrivals.save(peer.id, arrived, self._clock.now())
        # Without any success the next look would only ask the same again.
        return bool(arrived) and len(looked) == FOLDERS_A_LOOK

    def _needed(
        self, device_id: str, folder: CarriedFolder, peer_id: str, completion: Completion
    ) -> frozenset[str]:
        before = self._needs.get((device_id, peer_id))
        if before is not None and before[0] == completion:
            return before[1]
        needed: frozenset[str] = frozenset()
        if completion.need_items:
            needed = frozenset(
                path.removeprefix(folder.prefix)
                for path in self._syncthing.needed(folder.id, peer_id)
                if path.startswith(folder.prefix)
            )
        self._needs[device_id, peer_id] = completion, needed
        return needed

    def _is_due(self, peer_id: str, file: Sent) -> bool:
        """What Syncthing did not know is soon asked for again only while it is fresh."""
        if self._clock.now() - file.completed_at < UNNOTICED:
            return True
        return self._clock.monotonic() >= self._unknown.get((peer_id, file.download_id), 0.0)
