"""The devices that were ever attached, by the UUID in their marker."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import peewee

from sidecar.store.database import Database, Query
from sidecar.store.schema.tables import DeviceMachineRow, DeviceRow


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
        """Delete a device and every row about it, in whatever table."""
        with self._db.write():
            for table in self._db.dialect.list_tables_with("device_id"):
                # The names come from our own tables.
                self._db.execute_sql(f"DELETE FROM {table} WHERE device_id = ?", (device_id,))  # noqa: S608
            self._db.execute(peewee.ModelDelete(DeviceRow).where(DeviceRow.id == device_id))

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
