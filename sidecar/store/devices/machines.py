"""On which machine each device is, where several processes share a database.

The process that has a device attached holds it, and says how it is there; all others read that.
What is held is let go when the process says so, or when its lease ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from sidecar.clock import Clock
from sidecar.domain.space.space import Space
from sidecar.store.database import Database, Row
from sidecar.store.schema.tables import DeviceMachineRow, MachineRow

# Which process makes a new device is in `meta`, under this prefix and the device's name.
NEW = "new-device:"
BEGIN_NEW = """INSERT INTO meta (key, value) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value
    WHERE meta.value = excluded.value
        OR NOT EXISTS (SELECT 1 FROM processes WHERE id = meta.value) RETURNING key"""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """How a device is on its machine.

    Attributes:
        space: Its file system; None while that cannot be read.
        aside: Bytes of our generated files there.
        problem_code, problem: What is wrong, with a code and a sentence; None if nothing is.
    """

    space: Space | None = None
    aside: int = 0
    problem_code: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceOnMachine:
    """A device on a machine that has it, or had it last.

    Attributes:
        path: Where it is on that machine.
        process_id: The process that has it attached; None if none has.
        told_at: When its machine said so last, by that machine's clock.
        times_held: How often that machine has attached it.
    """

    device_id: str
    machine: str
    path: str
    process_id: str | None
    state: DeviceState
    told_at: datetime
    times_held: int = 1

    @property
    def is_held(self) -> bool:
        """Whether a living process has it attached."""
        return self.process_id is not None


class DeviceMachines:
    """Stores where devices are. Safe to use from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    @property
    def own_id(self) -> str:
        """The process that holds what this one holds."""
        return self._db.process_id

    def begin_new(self, name: str) -> bool:
        """Let this process alone make a new device of this name, as long as its lease lasts.

        Returns:
            Whether it may: not if there is one already, or another process is making it.
        """
        with self._db.write():
            if self._db.sql("SELECT 1 FROM devices WHERE name = ?", (name,)):
                return False
            return bool(self._db.execute_sql(BEGIN_NEW, (f"{NEW}{name}", self.own_id)))

    def end_new(self, name: str) -> None:
        """Let others make a new device of this name again."""
        with self._db.write():
            text = "DELETE FROM meta WHERE key = ? AND value = ? RETURNING key"
            self._db.execute_sql(text, (f"{NEW}{name}", self.own_id))

    def hold(self, device_id: str, machine: str, path: str) -> bool:
        """Hold a device for this process as long as its lease lasts.

        Returns:
            Whether it is held now: not if another process holds it, or this one has no lease.
        """
        row = DeviceMachineRow
        held = {"process_id": self._db.process_id, "path": path, "told_at": self._clock.now()}
        with self._db.write():
            if not self._db.has_lease():
                return False
            if any(
                one.process_id not in {None, self._db.process_id}
                for one in self._read(row.device_id == device_id)
            ):
                return False
            self._db.execute(
                row.insert(device_id=device_id, machine=machine, times_held=1, **held).on_conflict(
                    conflict_target=[row.device_id, row.machine],
                    update={**held, row.times_held: row.times_held + 1},
                )
            )
        return True

    def tell(self, states: Mapping[str, DeviceState]) -> None:
        """Say how devices are that this process holds; what it does not hold is left alone."""
        with self._db.write_lazily():
            for device_id, state in states.items():
                self._change(device_id, **_columns(state))

    def let_go(self, device_id: str, problem_code: str, problem: str) -> None:
        """Let go of a device that this process holds, and say why it is not there any more."""
        gone = DeviceState(problem_code=problem_code, problem=problem)
        with self._db.write():
            self._change(device_id, process_id=None, **_columns(gone))

    def forget(self, machine: str, device_ids: Collection[str]) -> None:
        """Forget that a machine has had devices; what a process holds stays."""
        row = DeviceMachineRow
        gone = (row.machine == machine) & row.process_id.is_null() & row.device_id.in_(device_ids)
        if self._read(gone):
            with self._db.write():
                self._db.execute(peewee.ModelDelete(row).where(gone))

    def list_had(self) -> frozenset[str]:
        """Return the devices that a machine has or had which is not forgotten."""
        row = DeviceMachineRow
        query = row.select(row.device_id).join(MachineRow, on=MachineRow.name == row.machine)
        return self._db.once(
            DeviceMachines.list_had,
            lambda: frozenset(one["device_id"] for one in self._db.rows(query)),
        )

    def all(self) -> Sequence[DeviceOnMachine]:
        """Return each device once: where it is held, or where it was told of last."""
        latest: dict[str, DeviceOnMachine] = {}
        for one in self._db.once(DeviceMachines, self._read):
            before = latest.get(one.device_id)
            if before is None or (one.is_held, one.told_at) > (before.is_held, before.told_at):
                latest[one.device_id] = one
        return [*latest.values()]

    def _change(self, device_id: str, **columns: object) -> None:
        row = DeviceMachineRow
        mine = (row.device_id == device_id) & (row.process_id == self._db.process_id)
        columns["told_at"] = self._clock.now()
        self._db.execute(row.update(**columns).where(mine))

    def _read(self, *where: object) -> list[DeviceOnMachine]:
        query = DeviceMachineRow.select().order_by(
            DeviceMachineRow.device_id, DeviceMachineRow.machine
        )
        return [_from_row(row) for row in self._db.rows(query.where(*where) if where else query)]


def _columns(state: DeviceState) -> Row:
    space = state.space
    return {
        "free": space.free if space else None,
        "total": space.total if space else None,
        "block": space.block if space else None,
        "largest_file": space.largest_file if space else None,
        "aside": state.aside,
        "problem_code": state.problem_code,
        "problem": state.problem,
    }


def _read_space(row: Row) -> Space | None:
    if row["total"] is None:
        return None
    return Space(
        total=row["total"],
        free=row["free"],
        # An older version tells no block.
        block=row["block"] or 1,
        largest_file=row["largest_file"],
    )


def _from_row(row: Row) -> DeviceOnMachine:
    return DeviceOnMachine(
        device_id=row["device_id"],
        machine=row["machine"],
        path=row["path"],
        process_id=row["process_id"],
        state=DeviceState(_read_space(row), row["aside"], row["problem_code"], row["problem"]),
        told_at=row["told_at"],
        times_held=row["times_held"],
    )
