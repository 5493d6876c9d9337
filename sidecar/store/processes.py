"""The processes that run on this database, and their heartbeats."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from sidecar.clock import Clock
from sidecar.store.database import Database
from sidecar.store.schema.tables import MachineRow, ProcessRow

END = "DELETE FROM processes WHERE id = ? AND beat = coalesce(?, beat) RETURNING id"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this installation.

    Attributes:
        host: The machine it runs on.
        lock: The file there that it holds locked as long as it lives.
        beat: Grows as long as it lives.
        version: Of its program; empty if it is too old to say so.
        roles: What it does, such as "web,watch"; empty for all, alone.
    """

    id: str
    host: str
    lock: str
    started_at: datetime
    seen_at: datetime
    beat: int
    version: str = ""
    roles: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that has run a process of this installation.

    Attributes:
        since: When it was heard of first.
        heard_at: When one of its processes renewed its lease last, by the clock there.
    """

    name: str
    since: datetime
    heard_at: datetime


class Processes:
    """Registers this process, renews its lease and ends those of others."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    @property
    def own_id(self) -> str:
        """The name of this process in its claims."""
        return self._db.process_id

    def register(
        self, host: str, lock: str, *, is_alone: bool, version: str = "", roles: str = ""
    ) -> None:
        """Begin the lease of this process; one that is alone ends those of all others."""
        now = self._clock.now()
        row = ProcessRow.insert(
            id=self._db.process_id,
            host=host,
            lock=lock,
            started_at=now,
            seen_at=now,
            version=version,
            roles=roles,
        )
        machine = MachineRow.insert(name=host, since=now, heard_at=now)
        with self._db.write():
            if is_alone:
                self._db.execute_sql("DELETE FROM processes RETURNING id", ())
            self._db.execute(row)
            if not is_alone:
                self._db.execute(
                    machine.on_conflict(
                        conflict_target=[MachineRow.name], preserve=[MachineRow.heard_at]
                    )
                )

    def renew(self) -> bool:
        """Renew the lease; return False if it was ended by others, who may have the work by now."""
        now = self._clock.now()
        row = ProcessRow.update({"beat": peewee.SQL("beat + 1"), "seen_at": now})
        host = ProcessRow.select(ProcessRow.host).where(ProcessRow.id == self.own_id)
        machine = MachineRow.update(heard_at=now).where(MachineRow.name == host)
        with self._db.write_lazily():
            is_mine = bool(self._db.execute(row.where(ProcessRow.id == self.own_id)))
            if is_mine:
                self._db.execute(machine)
        return is_mine

    def take_another_id(self) -> None:
        """Be another process from now on: the claims of the old one are void."""
        self._db.process_id = secrets.token_hex(8)

    def all(self) -> Sequence[Process]:
        """Return all processes, the oldest first."""
        query = ProcessRow.select().order_by(ProcessRow.started_at, ProcessRow.id)
        return [Process(**row) for row in self._db.rows(query)]

    def machines(self) -> Sequence[Machine]:
        """Return the machines that share or have shared the database, in the order of names."""
        return [
            Machine(**row) for row in self._db.rows(MachineRow.select().order_by(MachineRow.name))
        ]

    def forget(self, machine: str) -> None:
        """Forget a machine, and end the leases of what ran there."""
        with self._db.write():
            self._db.execute(peewee.ModelDelete(ProcessRow).where(ProcessRow.host == machine))
            self._db.execute(peewee.ModelDelete(MachineRow).where(MachineRow.name == machine))

    def holds_claim(self) -> bool:
        """Whether this process still keeps those off the database that must not run beside it."""
        return self._db.dialect.is_claimed()

    def end(self, process_id: str, beat: int | None = None) -> bool:
        """End the lease of a process; only if it still is at this beat, where one is given."""
        with self._db.write():
            return bool(self._db.execute_sql(END, (process_id, beat)))
