"""What has arrived on which other device, and what was last known of these devices.

An arrival belongs to one file: what went and came again has to arrive again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from sidecar.domain.syncthing.peers import Missing, Peer
from sidecar.store.database import Database
from sidecar.store.schema.fields import EPOCH, MILLISECOND, MomentField
from sidecar.store.schema.tables import ArrivalRow, DownloadRow, PeerRow

ABSENT = """SELECT one.id, one.file_path, one.file_size, one.completed_at
    FROM downloads AS one INDEXED BY downloads_by_completion
    WHERE one.status = 'completed' AND one.device_id = ? AND one.completed_at >= ?
        AND one.missing_since IS NULL
        AND NOT EXISTS (SELECT 1 FROM arrivals
            WHERE download_id = one.id AND peer_id = ? AND completed_at = one.completed_at)
    ORDER BY one.completed_at DESC LIMIT ?"""
NEWEST = """SELECT max(arrivals.completed_at) FROM arrivals
    JOIN downloads AS one ON one.id = arrivals.download_id
    WHERE one.status = 'completed' AND one.device_id = ? AND arrivals.peer_id = ?
        AND arrivals.completed_at = one.completed_at"""
BEFORE = """SELECT id FROM downloads INDEXED BY downloads_by_completion
    WHERE status = 'completed' AND device_id = ? AND completed_at < ?"""
OF_FILES = """SELECT one.id, peers.name, arrivals.known_at FROM json_each(?) AS wanted
    CROSS JOIN downloads AS one ON one.id = CAST(wanted.value AS INTEGER)
    JOIN peers ON peers.device_id = one.device_id
    LEFT JOIN arrivals ON arrivals.download_id = one.id AND arrivals.peer_id = peers.peer_id
        AND arrivals.completed_at = one.completed_at
    WHERE one.status = 'completed' ORDER BY peers.name, peers.peer_id"""
MOMENT = MomentField()
# Of files that are awaited, the newest decide.
AWAITED = 1000
ALL = 1 << 60


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that is complete here and not known to be there."""

    download_id: int
    path: str
    size: int
    completed_at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whether another device has a file.

    Attributes:
        known_at: When it was first known to be there; None while it is not.
    """

    peer: str
    known_at: datetime | None


class Arrivals:
    """Stores arrivals and peers. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def peers(self, device_id: str) -> Sequence[Peer]:
        """Return what was last known of the devices that a folder is shared with."""
        rows = self._db.rows(
            PeerRow.select().where(PeerRow.device_id == device_id).order_by(PeerRow.name)
        )
        return [
            Peer(
                id=row["peer_id"],
                name=row["name"],
                is_paused=row["is_paused"],
                last_seen=row["last_seen"],
            )
            for row in rows
        ]

    def save_peers(self, device_id: str, peers: Iterable[Peer]) -> None:
        """Remember with whom a folder is shared now; the others are forgotten."""
        with self._db.write():
            self._db.execute(peewee.ModelDelete(PeerRow).where(PeerRow.device_id == device_id))
            for one in peers:
                self._db.execute(
                    PeerRow.insert(
                        device_id=device_id,
                        peer_id=one.id,
                        name=one.name,
                        is_paused=one.is_paused,
                        last_seen=one.last_seen,
                    )
                )

    def absent(
        self, device_id: str, peer_id: str, *, since: datetime = EPOCH, most: int = ALL
    ) -> Sequence[Sent]:
        """Return the files that a peer is not known to have, those that came last first.

        Args:
            device_id: Where they are.
            peer_id: Where they are not.
            since: Only what was complete here at this time or later.
            most: Not more than so many.
        """
        rows = self._db.sql(ABSENT, (device_id, MOMENT.db_value(since), peer_id, most))
        return [
            Sent(download_id, path, size or 0, _to_time(completed_at))
            for download_id, path, size, completed_at in rows
        ]

    def missing(self, device_id: str, peer_id: str, *, since: datetime) -> Sequence[Missing]:
        """Return the newest of the same, as the plan wants to see them."""
        absent = self.absent(device_id, peer_id, since=since, most=AWAITED)
        return [Missing(peer_id, one.path, one.completed_at) for one in absent]

    def newest(self, device_id: str, peer_ids: Iterable[str]) -> Mapping[str, datetime]:
        """Return when the newest file that each peer has was complete here."""
        newest: dict[str, datetime] = {}
        for peer_id in peer_ids:
            ((found,),) = self._db.sql(NEWEST, (device_id, peer_id))
            if found is not None:
                newest[peer_id] = _to_time(found)
        return newest

    def save(self, peer_id: str, files: Collection[Sent], known_at: datetime) -> None:
        """Remember that a peer has these files."""
        with self._db.write():
            for one in files:
                row = ArrivalRow.insert(
                    download_id=one.download_id,
                    peer_id=peer_id,
                    completed_at=one.completed_at,
                    known_at=known_at,
                )
                # The row may have gone since it was read: then there is nothing to remember.
                there = DownloadRow.select(DownloadRow.id).where(DownloadRow.id == one.download_id)
                if self._db.row(there) is not None:
                    self._db.execute(
                        row.on_conflict(
                            conflict_target=[ArrivalRow.download_id, ArrivalRow.peer_id],
                            preserve=[ArrivalRow.completed_at, ArrivalRow.known_at],
                        )
                    )

    def before(self, device_id: str, moment: datetime) -> frozenset[int]:
        """Return the downloads whose files were complete on a device before a time."""
        rows = self._db.sql(BEFORE, (device_id, MOMENT.db_value(moment)))
        return frozenset(download_id for (download_id,) in rows)

    def of_file(self, download_id: int) -> Sequence[Arrival]:
        """Return which of the other devices have a file that is complete here."""
        return self.of_files([download_id]).get(download_id, [])

    def of_files(self, download_ids: Iterable[int]) -> Mapping[int, list[Arrival]]:
        """Return the same for many files; one that no other device is to have is left out."""
        found: dict[int, list[Arrival]] = {}
        for download_id, name, known_at in self._db.sql(OF_FILES, (json.dumps([*download_ids]),)):
            found.setdefault(download_id, []).append(Arrival(name, MOMENT.python_value(known_at)))
        return found


def _to_time(value: int) -> datetime:
    return EPOCH + value * MILLISECOND
