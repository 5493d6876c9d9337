"""Stores holds. Events are published after the commit.

keep ─▶ held ─release─▶ held until a time ─drop_due─▶ gone
         ▲                     │
         └──────── keep ───────┘
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import peewee

from sidecar.domain.downloads.download import Standing, Status
from sidecar.domain.wishes import Hold, Reason, Wish
from sidecar.events import Bus, HoldsChanged
from sidecar.messages import msg, restore, store
from sidecar.store.database import Database, Row
from sidecar.store.rules.hold_reasons import HoldReasons
from sidecar.store.schema.tables import DownloadRow, HoldRow

BATCH = 500
# For so many new holds, and the downloads that come with them, the plans should be good ones.
MANY = 100
# SQL text: a look through all hearts keeps thousands, and peewee takes longer to build such a
# statement than SQLite to run it.
ASKED_FOR = """SELECT 1 FROM downloads JOIN holds USING (device_id, item_id)
    WHERE downloads.id = ? AND holds.rule = 'pin' LIMIT 1"""

Key = tuple[str, str, str, str, str]
NAMES = ("user_id", "device_id", "item_id", "rule", "source_id", "text")
# What is stored about each wish: its hold, the item's download, and whether it was removed.
FACTS = f"""SELECT h.id IS NOT NULL, h.release_at, h.text,
        d.status, d.priority, d.missing_since IS NOT NULL, t.item_id IS NOT NULL
    FROM json_each(?) AS one
    LEFT JOIN holds AS h ON {
    " AND ".join(
        f"h.{name} = json_extract(one.value, '$[{place}]')" for place, name in enumerate(NAMES[:5])
    )
}
    LEFT JOIN downloads AS d ON d.device_id = json_extract(one.value, '$[1]')
        AND d.item_id = json_extract(one.value, '$[2]')
    LEFT JOIN tombstones AS t ON t.user_id = json_extract(one.value, '$[0]')
        AND t.device_id = json_extract(one.value, '$[1]')
        AND t.item_id = json_extract(one.value, '$[2]')
    ORDER BY CAST(one.key AS INTEGER)"""  # noqa: S608 - names of our own columns
KEEP_ON = f"""UPDATE holds SET release_at = NULL, text = kept.text FROM (
    SELECT {", ".join(f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(NAMES))}
    FROM json_each(?)
) AS kept WHERE {" AND ".join(f"holds.{name} = kept.{name}" for name in NAMES[:5])}"""  # noqa: S608 - names of our own columns
NEW = f"""INSERT INTO holds ({", ".join(NAMES)})
    SELECT {", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(NAMES)))}
    FROM json_each(?) ORDER BY CAST(key AS INTEGER) RETURNING id"""  # noqa: S608 - names of our own columns
DROP = f"""DELETE FROM holds WHERE (user_id, device_id, item_id) IN (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
    FROM json_each(?)) RETURNING id, {", ".join(NAMES)}, release_at"""  # noqa: S608 - names of our own columns
OWNERS = """SELECT owned.download_id, owned.user_id FROM json_each(?) AS one
    CROSS JOIN owned ON owned.download_id = CAST(one.value AS INTEGER)"""
REASON = """SELECT text FROM holds WHERE user_id = ? AND rule = ? AND source_id = ?
    ORDER BY id DESC LIMIT 1"""
SOURCES = "SELECT DISTINCT source_id FROM holds WHERE user_id = ? AND rule = ?"


@dataclass(frozen=True, slots=True)
class WishFacts:
    """What is stored about a wish.

    Attributes:
        hold: When the hold is to end, and its text as stored; None if there is no such hold.
        standing: How the item's download on the device stands; None if there is none.
        is_removed: The account removed the item from the device on purpose.
    """

    hold: tuple[int | None, str] | None
    standing: Standing | None
    is_removed: bool


class Holds:
    """Creates, releases and deletes holds. Safe to use from any thread."""

    def __init__(self, db: Database, bus: Bus, *, is_shared: bool = False) -> None:
        self._db = db
        self._bus = bus
        self._reasons = HoldReasons(db, bus, is_shared=is_shared)

    def keep(self, wish: Wish) -> bool:
        """Hold an item; a hold that was about to end lasts again.

        Returns:
            Whether this is a reason that was not there before; if not, nothing was changed,
            except that its end was called off and its text is the latest one.
        """
        with self._db.write():
            return self.keep_all([wish], self.facts([wish]))[0]

    def facts(self, wishes: Iterable[Wish]) -> list[WishFacts]:
        """Return what is stored about each of these wishes, with one statement."""
        asked = json.dumps([_key(one) for one in wishes])
        return [
            WishFacts(
                hold=(release_at, text) if is_held else None,
                standing=status and Standing(Status(status), priority, bool(is_missing)),
                is_removed=bool(is_removed),
            )
            for is_held, release_at, text, status, priority, is_missing, is_removed in (
                self._db.sql(FACTS, (asked,))
            )
        ]

    def keep_all(self, wishes: Sequence[Wish], facts: Sequence[WishFacts]) -> list[bool]:
        """Do the same for many wishes, with few statements; inside of a `write`.

        `facts` are those of the wishes, read in the same transaction.
        """
        kept: dict[Key, Wish] = {}
        fresh: dict[Key, Wish] = {}
        are_new = []
        for wish, known in zip(wishes, facts, strict=True):
            key = _key(wish)
            are_new.append(known.hold is None and key not in fresh)
            if known.hold is None:
                fresh[key] = wish
            elif key in kept or known.hold != (None, store(wish.reason.text)):
                kept[key] = wish
        if len(fresh) >= MANY:
            self._db.dialect.count_anew("holds", "downloads", "owned")
        for text, changed in ((KEEP_ON, kept), (NEW, fresh)):
            if changed:
                rows = [[*key, store(one.reason.text)] for key, one in changed.items()]
                self._db.execute_sql(text, [json.dumps(rows)])
        self._tell(one.device_id for one in (*kept.values(), *fresh.values()))
        return are_new

    def release(
        self,
        *,
        user_id: str,
        at: datetime,
        rule: str | None = None,
        source_id: str | None = None,
        device_id: str | None = None,
        item_id: str | None = None,
        except_items: Collection[str] = frozenset(),
    ) -> int:
        """Let a user's holds end at a time; one that ends already keeps its time.

        Args:
            user_id: Whose holds.
            at: When they end.
            rule: Only those of this rule; likewise the next three. None means any.
            source_id: Only those that came from this item.
            device_id: Only those on this device.
            item_id: Only those on this item.
            except_items: Holds on these items stay.

        Returns:
            How many will end that would have lasted.
        """
        asked = {"rule": rule, "source_id": source_id, "device_id": device_id, "item_id": item_id}
        query = HoldRow.select().where(
            HoldRow.user_id == user_id,
            HoldRow.release_at.is_null(),
            *(
                getattr(HoldRow, name) == value
                for name, value in asked.items()
                if value is not None
            ),
        )
        with self._db.write():
            ending = [row for row in self._db.rows(query) if row["item_id"] not in except_items]
            for some in peewee.chunked((row["id"] for row in ending), BATCH):
                self._db.execute(HoldRow.update(release_at=at).where(HoldRow.id.in_(list(some))))
            self._tell(row["device_id"] for row in ending)
        return len(ending)

    def release_these(
        self, holds: Iterable[Hold], at: datetime, *, even_ending: bool = False
    ) -> int:
        """Let some holds end at a time; return of how many the end was changed.

        Args:
            holds: Which.
            at: When they end.
            even_ending: Those that were to end later anyway do so at that time as well.
        """
        ids = [one.id for one in holds]
        open_ended = HoldRow.release_at.is_null()
        which = open_ended | (HoldRow.release_at > at) if even_ending else open_ended
        with self._db.write():
            ending: list[Row] = []
            for some in peewee.chunked(ids, BATCH):
                theirs = HoldRow.id.in_(list(some)) & which
                query = HoldRow.update(release_at=at).where(theirs).returning(HoldRow)
                ending += self._db.execute_returning(query)
            self._tell(row["device_id"] for row in ending)
        return len(ending)

    def is_own(self, download_id: int) -> bool:
        """Return whether somebody asked for a download themself."""
        return bool(self._db.sql(ASKED_FOR, (download_id,)))

    def drop_due(self, now: datetime) -> list[Hold]:
        """Delete the holds whose time is over and return them."""
        due = HoldRow.release_at <= now
        with self._db.write():
            rows = self._db.execute_returning(
                peewee.ModelDelete(HoldRow).where(due).returning(HoldRow)
            )
            self._tell(row["device_id"] for row in rows)
        return [_hold(row) for row in rows]

    def drop(
        self, device_id: str, item_id: str, user_ids: Collection[str] | None = None
    ) -> list[Hold]:
        """Delete at once what these users, or all, hold of an item on a device, and return it."""
        which = (HoldRow.device_id == device_id) & (HoldRow.item_id == item_id)
        if user_ids is not None:
            which &= HoldRow.user_id.in_(list(user_ids))
        with self._db.write():
            rows = self._db.execute_returning(
                peewee.ModelDelete(HoldRow).where(which).returning(HoldRow)
            )
            self._tell(row["device_id"] for row in rows)
        return [_hold(row) for row in rows]

    def drop_all(self, which: Iterable[tuple[str, str, str]]) -> list[Hold]:
        """Delete at once what users hold of items on devices, and return it.

        Args:
            which: Users, devices and items.
        """
        with self._db.write():
            found = self._db.execute_sql(DROP, [json.dumps(list(which))])
            dropped = [_hold_of(one) for one in found]
            self._tell(one.device_id for one in dropped)
        return dropped

    def holders(self, device_id: str, item_id: str) -> list[str]:
        """Return the users who hold an item on a device."""
        query = (
            HoldRow.select(HoldRow.user_id)
            .where(HoldRow.device_id == device_id, HoldRow.item_id == item_id)
            .distinct()
            .order_by(HoldRow.user_id)
        )
        return [row["user_id"] for row in self._db.rows(query)]

    def owners(self, download_ids: Collection[int]) -> dict[int, frozenset[str]]:
        """Return whose each of these downloads is: those who hold it, else who asked first."""
        if not download_ids:
            return {}
        found: dict[int, set[str]] = {}
        for download_id, owner in self._db.sql(OWNERS, (json.dumps(list(download_ids)),)):
            found.setdefault(download_id, set()).add(owner)
        return {one: frozenset(owners) for one, owners in found.items()}

    def of_source(self, user_id: str, rule: str, source_id: str) -> list[Hold]:
        """Return what a user holds by a rule because of one item."""
        query = HoldRow.select().where(
            HoldRow.user_id == user_id, HoldRow.rule == rule, HoldRow.source_id == source_id
        )
        return [_hold(row) for row in self._db.rows(query.order_by(HoldRow.id))]

    def stored(self, holds: Collection[Hold]) -> list[Hold]:
        """Return those of these holds that are stored and last, with their numbers."""
        asked = [
            (one.user_id, one.device_id, one.item_id, one.reason.rule, one.reason.source_id)
            for one in holds
        ]
        place = ", ".join(f"json_extract(value, '$[{at}]')" for at in range(5))
        which = peewee.SQL(
            f"({', '.join(NAMES[:5])}) IN (SELECT {place} FROM json_each(?))",  # noqa: S608 - names of our own columns
            [json.dumps(asked)],
        )
        query = HoldRow.select().where(which, HoldRow.release_at.is_null())
        return [_hold(row) for row in self._db.rows(query.order_by(HoldRow.id))]

    def sources(self, user_id: str, rule: str) -> frozenset[str]:
        """Return because of what items a user holds something by a rule."""
        return frozenset(one for (one,) in self._db.sql(SOURCES, (user_id, rule)))

    def reason_of(self, user_id: str, rule: str, source_id: str) -> Reason | None:
        """Return why a user holds what they hold because of one item; None if they hold nothing."""
        text = self._db.sql(REASON, (user_id, rule, source_id))
        return Reason(rule, source_id, restore(text[0][0])) if text else None

    def of_rule(self, user_id: str, device_id: str, rule: str) -> list[Hold]:
        """Return what a user holds on a device by a rule, those that will end included."""
        query = HoldRow.select().where(
            HoldRow.user_id == user_id, HoldRow.rule == rule, HoldRow.device_id == device_id
        )
        return [_hold(row) for row in self._db.rows(query.order_by(HoldRow.id))]

    def reasons_of(self, user_id: str, device_id: str) -> Mapping[str, list[str]]:
        """Return why a user's lasting holds on a device are there, by rule; each reason once."""
        found: dict[str, dict[str, None]] = {}
        for rule, _, text, _, lasting, *_ in self._reasons.read(user_id, device_id):
            if lasting:
                found.setdefault(rule, {})[restore(text)] = None
        return {rule: list(texts) for rule, texts in found.items()}

    def pins_of(self, user_id: str, device_id: str) -> Mapping[str, tuple[str, int]]:
        """Return what a user pinned on a device, the oldest first: its text and number of files."""
        pins: dict[str, tuple[str, int]] = {}
        for _, source_id, text, count, *_, title in self._reasons.read(user_id, device_id):
            if source_id is not None:
                # The reason of a single file does not name it: that stands beside it elsewhere.
                named = msg("downloaded by you ({title})", title=title) if title else restore(text)
                first, others = pins.get(source_id, (named, 0))
                pins[source_id] = first, others + count
        return pins

    def files_of(self, user_id: str, device_id: str) -> Mapping[str, int]:
        """Return how many files a user's lasting holds on a device keep, by rule."""
        return {rule: files or 0 for rule, *_, files, _ in self._reasons.read(user_id, device_id)}

    def of_item(self, device_id: str, item_id: str) -> list[Hold]:
        """Return all holds on an item on a device, oldest first."""
        query = HoldRow.select().where(HoldRow.device_id == device_id, HoldRow.item_id == item_id)
        return [_hold(row) for row in self._db.rows(query.order_by(HoldRow.id))]

    def reasons_for(self, download_ids: Collection[int]) -> Mapping[int, list[Hold]]:
        """Return all holds on each of these downloads, oldest first; all of them are keys."""
        query = (
            HoldRow.select(HoldRow, DownloadRow.id.alias("download_id"))
            .join(
                DownloadRow,
                on=(HoldRow.device_id == DownloadRow.device_id)
                & (HoldRow.item_id == DownloadRow.item_id),
            )
            .where(DownloadRow.id.in_(list(download_ids)))
            .order_by(HoldRow.id)
        )
        found: dict[int, list[Hold]] = {download_id: [] for download_id in download_ids}
        for row in self._db.rows(query):
            found[row.pop("download_id")].append(_hold(row))
        return found

    def _tell(self, device_ids: Iterable[str]) -> None:
        """Publish after the commit that the holds on these devices have changed, once for each."""
        for device_id in dict.fromkeys(device_ids):
            self._db.after_commit(partial(self._bus.publish, HoldsChanged(device_id)))


def _key(wish: Wish) -> Key:
    why = wish.reason
    return wish.user_id, wish.device_id, wish.item.id, why.rule, why.source_id


def _hold_of(values: tuple[Any, ...]) -> Hold:
    hold_id, user_id, device_id, item_id, rule, source_id, text, release_at = values
    return Hold(
        id=hold_id,
        user_id=user_id,
        device_id=device_id,
        item_id=item_id,
        reason=Reason(rule, source_id, restore(text)),
        release_at=HoldRow.release_at.python_value(release_at),
    )


def _hold(row: Row) -> Hold:
    return Hold(
        id=row["id"],
        user_id=row["user_id"],
        device_id=row["device_id"],
        item_id=row["item_id"],
        reason=Reason(row["rule"], row["source_id"], row["text"]),
        release_at=row["release_at"],
    )
