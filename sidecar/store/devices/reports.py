"""What the process that has a device attached knows of it, kept for the others to show.

Each kind is JSON of a form that its reader knows. A report counts as long as its process holds the
device, and goes with the lease of that process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import peewee

from sidecar.store.database import Database
from sidecar.store.schema.tables import DeviceMachineRow, DeviceReportRow


@dataclass(frozen=True, slots=True)
class ReportKey:
    """One state of one report: another state has another key.

    Attributes:
        version: Another number for each state that the process has put.
    """

    device_id: str
    kind: str
    process_id: str
    version: int


class Reports:
    """Stores reports. Safe for many threads and processes."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def own_id(self) -> str:
        """The process whose reports these are."""
        return self._db.process_id

    def put(self, device_id: str, kind: str, version: int, content: str) -> bool:
        """Put a report of this process in the place of the one before.

        Returns:
            Whether it was put: not if this process has no lease.
        """
        row = DeviceReportRow
        changed = {"version": version, "content": content}
        with self._db.write_lazily():
            if not self._db.has_lease():
                return False
            self._db.execute(
                row.insert(
                    device_id=device_id, kind=kind, process_id=self._db.process_id, **changed
                ).on_conflict(
                    conflict_target=[row.device_id, row.kind, row.process_id], update=changed
                )
            )
        return True

    def drop(self, device_id: str, kind: str) -> None:
        """Delete a report of this process."""
        row = DeviceReportRow
        mine = (row.device_id == device_id) & (row.process_id == self._db.process_id)
        with self._db.write_lazily():
            self._db.execute(peewee.ModelDelete(row).where(mine & (row.kind == kind)))

    def of_others(self) -> Mapping[tuple[str, str], ReportKey]:
        """Return the keys of all reports of other processes that count, by device and kind."""
        return self._db.once(Reports, self._read_keys)

    def read(self, key: ReportKey) -> str | None:
        """Return the content of a report; None if it has changed or gone meanwhile."""
        row = DeviceReportRow
        which = (row.device_id == key.device_id) & (row.kind == key.kind)
        which &= (row.process_id == key.process_id) & (row.version == key.version)
        found = self._db.row(row.select(row.content).where(which))
        return found["content"] if found else None

    def _read_keys(self) -> Mapping[tuple[str, str], ReportKey]:
        row, holder = DeviceReportRow, DeviceMachineRow
        is_holder = (holder.device_id == row.device_id) & (holder.process_id == row.process_id)
        query = (
            row.select(row.device_id, row.kind, row.process_id, row.version)
            .join(holder, on=is_holder)
            .where(row.process_id != self._db.process_id)
        )
        return {
            (key.device_id, key.kind): key
            for key in (ReportKey(**one) for one in self._db.rows(query))
        }
