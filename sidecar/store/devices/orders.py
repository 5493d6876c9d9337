"""Orders for devices that other machines have: given by one process, carried out by another.

add ─▶ open ─▶ take ─▶ end: done, refused
         ▲       └─ the lease of the process ends ─┐
         └─────────────────────────────────────────┘ too often: failed; nobody for a day: expired
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import peewee

from sidecar.clock import Clock
from sidecar.domain.processes.orders import DONE_SHOWN, LASTS, MOST_TRIES, TROUBLE_SHOWN, OrderState
from sidecar.store.database import Database, Query
from sidecar.store.schema.tables import OrderRow, ProcessRow

# An id may be given again, but not with the same time.
MARK = """SELECT count(*), max(id), max(made_at), sum(CASE WHEN state = 'open' THEN id END),
        sum(CASE WHEN process_id IS NOT NULL THEN id END), max(ended_at)
    FROM orders"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What a person wants done.

    Attributes:
        machine: Which one was asked, for people; whichever has the device carries it out.
        kind: Names the call that a press on that machine would make.
        given: Its values, as JSON.
        what: The end of the sentence "Asked car to …", for people.
    """

    device_id: str
    user_id: str
    machine: str
    kind: str
    given: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(NewOrder):
    """An order, and what became of it.

    Attributes:
        process_id: Which process carries it out now; None if none does.
        tries: How often it was begun.
        answer: What was done or why not, for people.
        result: What the call returned, as JSON, where that is shown.
    """

    id: int
    made_at: datetime
    state: OrderState
    process_id: str | None
    tries: int
    ended_at: datetime | None
    answer: str | None
    result: str | None

    @property
    def is_open(self) -> bool:
        """Whether it is to be carried out, or is being."""
        return self.state is OrderState.OPEN


class Orders:
    """Stores orders. Safe for many threads and processes."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def add(self, wanted: NewOrder) -> Order:
        """Store an order; the same one that is open already is not given twice."""
        same = (
            (OrderRow.device_id == wanted.device_id)
            & (OrderRow.user_id == wanted.user_id)
            & (OrderRow.kind == wanted.kind)
            & (OrderRow.given == wanted.given)
            & (OrderRow.state == OrderState.OPEN)
        )
        with self._db.write():
            open_one = self._read(OrderRow.select().where(same))
            if open_one:
                return open_one[0]
            columns = {name: getattr(wanted, name) for name in NewOrder.__dataclass_fields__}
            row = OrderRow.insert(**columns, made_at=self._clock.now(), state=OrderState.OPEN)
            self._db.execute(row)
            return self._read(OrderRow.select().where(same))[0]

    def take(self, device_ids: Collection[str]) -> Order | None:
        """Let this process carry out the oldest open order for these devices; None if none waits.

        One that it has begun and could not end comes again, until it is ended. None as well without
        a lease: another process may have its devices by now.
        """
        if not device_ids:
            return None
        mine = self._db.process_id
        lives = peewee.fn.EXISTS(ProcessRow.select().where(ProcessRow.id == mine))
        free = (
            OrderRow.select(OrderRow.id)
            .where(
                (_is_free() & (OrderRow.tries < MOST_TRIES))
                | ((OrderRow.process_id == mine) & (OrderRow.state == OrderState.OPEN)),
                OrderRow.device_id << [*device_ids],
            )
            .order_by(OrderRow.id)
            .limit(1)
        )
        if not self._db.rows(free):
            return None
        claim = (
            OrderRow.update({OrderRow.process_id: mine, OrderRow.tries: OrderRow.tries + 1})
            .where(OrderRow.id == free, lives)
            .returning(OrderRow.id)
        )
        with self._db.write():
            taken = self._db.execute_returning(claim)
        return self.get(taken[0]["id"]) if taken else None

    def end(self, order_id: int, state: OrderState, answer: str, result: str | None = None) -> bool:
        """Say what became of an order; only as long as this process carries it out."""
        mine = (OrderRow.id == order_id) & (OrderRow.process_id == self._db.process_id)
        with self._db.write():
            return bool(
                self._end(mine & (OrderRow.state == OrderState.OPEN), state, answer, result)
            )

    def end_stale(self, worn_out: str, expired: str) -> int:
        """End open orders that nobody can carry out, and delete what nobody needs to see any more.

        Args:
            worn_out: The answer to those that were begun too often without an end.
            expired: The answer to those that nobody began for too long.

        Returns:
            How many were ended or deleted.
        """
        now = self._clock.now()
        is_done = OrderRow.state == OrderState.DONE
        is_old = (is_done & (OrderRow.ended_at < now - DONE_SHOWN)) | (
            OrderRow.ended_at < now - TROUBLE_SHOWN
        )
        is_worn_out = _is_free() & (OrderRow.tries >= MOST_TRIES)
        is_late = _is_free() & (OrderRow.made_at < now - LASTS)
        if not self._db.rows(OrderRow.select(OrderRow.id).where(is_old | is_worn_out | is_late)):
            return 0
        with self._db.write():
            deleted = self._db.execute(peewee.ModelDelete(OrderRow).where(is_old))
            ended = self._end(is_worn_out, OrderState.FAILED, worn_out)
            return deleted + ended + self._end(is_late, OrderState.EXPIRED, expired)

    def drop(self, user_id: str, order_id: int, *, is_open: bool = False) -> bool:
        """Delete an order of a person; not while it is being carried out.

        Args:
            user_id: The person.
            order_id: The order.
            is_open: Only if it has not ended either.
        """
        theirs = (OrderRow.id == order_id) & (OrderRow.user_id == user_id)
        is_at_rest = (
            _is_free()
            if is_open
            else (OrderRow.state != OrderState.OPEN) | OrderRow.process_id.is_null()
        )
        with self._db.write():
            return bool(self._db.execute(peewee.ModelDelete(OrderRow).where(theirs & is_at_rest)))

    def get(self, order_id: int) -> Order | None:
        """Return an order; None if there is none."""
        return next(iter(self._read(OrderRow.select().where(OrderRow.id == order_id))), None)

    def of(self, user_id: str) -> Sequence[Order]:
        """Return the orders of a person, the newest first."""
        query = OrderRow.select().where(OrderRow.user_id == user_id)
        return self._read(query.order_by(OrderRow.id.desc()))

    def count_open(self) -> Mapping[str, int]:
        """Return how many orders are open for each device."""
        query = (
            OrderRow.select(OrderRow.device_id, peewee.fn.count(OrderRow.id).alias("number"))
            .where(OrderRow.state == OrderState.OPEN)
            .group_by(OrderRow.device_id)
        )
        return {row["device_id"]: row["number"] for row in self._db.rows(query)}

    def mark(self) -> object:
        """Return what differs whenever an order came, went or changed."""
        return self._db.sql(MARK)[0]

    def _end(self, where: object, state: OrderState, answer: str, result: str | None = None) -> int:
        row = OrderRow.update(
            state=state, answer=answer, result=result, ended_at=self._clock.now(), process_id=None
        )
        return self._db.execute(row.where(where))

    def _read(self, query: Query) -> list[Order]:
        return [Order(**{**row, "state": OrderState(row["state"])}) for row in self._db.rows(query)]


def _is_free() -> peewee.Expression:
    return (OrderRow.state == OrderState.OPEN) & OrderRow.process_id.is_null()
