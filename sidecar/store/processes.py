"""The processes that run on this database, and their heartbeats."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from sidecar.clock import Clock
from sidecar.store.database import Database
from sidecar.store.schema.tables import ProcessRow

END = "DELETE FROM processes WHERE id = ? AND beat = coalesce(?, beat) RETURNING id"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this installation.

    Attributes:
        host: The machine it runs on.
        lock: The file there that it holds locked as long as it lives.
        beat: Grows as long as it lives.
    """

    id: str
    host: str
    lock: str
    started_at: datetime
    seen_at: datetime
    beat: int


class Processes:
    """Registers this process, renews its lease and ends those of others."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    @property
    def own_id(self) -> str:
        """The name of this process in its claims."""
        return self._db.process_id

    def register(self, host: str, lock: str, *, is_alone: bool) -> None:
        """Begin the lease of this process; one that is alone ends those of all others."""
        now = self._clock.now()
        row = ProcessRow.insert(
            id=self._db.process_id, host=host, lock=lock, started_at=now, seen_at=now
        )
        with self._db.write():
            if is_alone:
                self._db.execute_sql("DELETE FROM processes RETURNING id", ())
            self._db.execute(row)

    def renew(self) -> bool:
        """Renew the lease; return False if it was ended by others, who may have the work by now."""
        row = ProcessRow.update({"beat": peewee.SQL("beat + 1"), "seen_at": self._clock.now()})
        with self._db.write_lazily():
            return bool(self._db.execute(row.where(ProcessRow.id == self.own_id)))

    def take_another_id(self) -> None:
        """Be another process from now on: the claims of the old one are void."""
        self._db.process_id = secrets.token_hex(8)

    def all(self) -> Sequence[Process]:
        """Return all processes, the oldest first."""
        query = ProcessRow.select().order_by(ProcessRow.started_at, ProcessRow.id)
        return [Process(**row) for row in self._db.rows(query)]

    def holds_claim(self) -> bool:
        """Whether this process still keeps those off the database that must not run beside it."""
        return self._db.dialect.is_claimed()

    def end(self, process_id: str, beat: int | None = None) -> bool:
        """End the lease of a process; only if it still is at this beat, where one is given."""
        with self._db.write():
            return bool(self._db.execute_sql(END, (process_id, beat)))
