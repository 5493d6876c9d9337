"""The devices that were ever attached, by the UUID in their marker."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import peewee

from sidecar.store.database import Database, Query
from sidecar.store.schema.tables import DeviceMachineRow, DeviceRow

# Triggers count for each row that goes. Within one transaction PostgreSQL keeps every version of
# such a count and goes through them all for the next: 53,000 rows at once took over a minute.
MOST_AT_ONCE = 500
MANY_ROWS = ("downloads", "holds", "activity")


@dataclass(frozen=True, slots=True)
class Device:
    """A folder that the sidecar fills.

    Attributes:
        id: The UUID in its marker file.
        path: Where it was attached last; where machines share the database, on this machine, and
            empty if it was never here.
    """

    id: str
    name: str
    path: str
    added_at: datetime


class Devices:
    """Stores devices. Safe to use from any thread."""

    def __init__(self, db: Database, machine: str | None = None) -> None:
        """Prepare.

        Args:
            db: The database.
            machine: This machine, if others share the database: each has its own paths.
        """
        self._db = db
        self._machine = machine

    def save(self, device: Device) -> None:
        """Insert a device, or update its name and path."""
        row = DeviceRow.insert(**asdict(device))
        with self._db.write():
            self._db.execute(
                row.on_conflict(
                    conflict_target=[DeviceRow.id],
                    preserve=[DeviceRow.name, DeviceRow.path],
                )
            )

    def get(self, device_id: str) -> Device | None:
        """Return a device; None if it was never seen."""
        return next((one for one in self.all() if one.id == device_id), None)

    def forget(self, device_id: str) -> None:
        """Delete a device and every row about it, in whatever table.

        Other writers come in between. If it is cut off, the device stays, and can be forgotten
        again. Files without rows are nobody's, so the downloads go first.
        """
        for table in MANY_ROWS:
            while self._forget_some(table, device_id):
                pass
        with self._db.write():
            for table in self._db.dialect.list_tables_with("device_id"):
                # The names come from our own tables.
                self._db.execute_sql(f"DELETE FROM {table} WHERE device_id = ?", (device_id,))  # noqa: S608
            self._db.execute(peewee.ModelDelete(DeviceRow).where(DeviceRow.id == device_id))

    def _forget_some(self, table: str, device_id: str) -> bool:
        """Delete some rows about a device, and tell whether there were any."""
        some = f"SELECT id FROM {table} WHERE device_id = ? LIMIT ?"  # noqa: S608 - ours
        with self._db.write():
            return bool(
                self._db.execute_sql(
                    f"DELETE FROM {table} WHERE id IN ({some}) RETURNING id",  # noqa: S608 - ours
                    (device_id, MOST_AT_ONCE),
                )
            )

    def all(self) -> list[Device]:
        """Return every device ever seen, oldest first."""
        return list(self._db.once(Devices, self._read_all))

    def _read_all(self) -> list[Device]:
        query = DeviceRow.select().order_by(DeviceRow.added_at, DeviceRow.id)
        if self._machine is not None:
            query = self._with_paths_here(query)
        return [Device(**row) for row in self._db.rows(query)]

    def _with_paths_here(self, query: Query) -> Query:
        here = (DeviceMachineRow.device_id == DeviceRow.id) & (
            DeviceMachineRow.machine == self._machine
        )
        path = peewee.fn.coalesce(DeviceMachineRow.path, "").alias("path")
        columns = (DeviceRow.id, DeviceRow.name, path, DeviceRow.added_at)
        return query.select(*columns).join(DeviceMachineRow, peewee.JOIN.LEFT_OUTER, on=here)
