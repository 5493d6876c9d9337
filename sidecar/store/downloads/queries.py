"""Downloads as they are: one, lists of them, and counts that always equal the lists.

Changes nothing. A list and its count come from the same conditions, so they cannot disagree.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any

import peewee
from peewee import fn

from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.downloads.states import MISSING, Download, Status
from sidecar.domain.files.removals import Expected
from sidecar.store.database import Database, Row
from sidecar.store.schema.tables import DownloadRow, HoldRow

FIELDS = [getattr(DownloadRow, one.name) for one in fields(Download)]
NAMES = ", ".join(f'"{one.column_name}"' for one in FIELDS)
# Written out once: peewee would put these thirty names together anew for each query.
COLUMNS = peewee.SQL(NAMES)
ONE = f"SELECT {NAMES} FROM downloads WHERE"  # noqa: S608 - names of our own columns
FILES = """SELECT coalesce(sum((file_size + ? - 1) / ? * ?), 0) FROM downloads
    WHERE status = 'completed' AND device_id = ?"""
ORIGINALS = """SELECT coalesce(sum((original_size + ? - 1) / ? * ?), 0) FROM downloads
    WHERE original_size IS NOT NULL AND device_id = ?"""
MISSING_BYTES = """SELECT coalesce(sum(file_size), 0) FROM downloads
    WHERE missing_since IS NOT NULL AND device_id = ?"""
ON_DEVICE = "SELECT count(*) FROM downloads WHERE status = 'completed' AND device_id = ?"
MISSING_ON = "SELECT count(*) FROM downloads WHERE missing_since IS NOT NULL AND device_id = ?"
IN_TURN = (DownloadRow.priority.desc(), DownloadRow.place, DownloadRow.id)
# What runs, what waits, what is paused, the rest.
STANDING = peewee.Case(
    DownloadRow.status, ((Status.DOWNLOADING, 0), (Status.PENDING, 1), (Status.PAUSED, 2)), 3
)
ORDERS = MappingProxyType(
    {
        Sort.NEWEST: (DownloadRow.id.desc(),),
        Sort.QUEUE: (STANDING, *IN_TURN),
        Sort.TITLE: (DownloadRow.search_key, DownloadRow.id),
        Sort.SIZE: (
            fn.COALESCE(DownloadRow.file_size, DownloadRow.expected_size, 0).desc(),
            DownloadRow.id,
        ),
    }
)

Condition = Any  # peewee's expressions have no common type in its stubs


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadFilter:
    """Which downloads.

    Attributes:
        statuses, item_types: Empty means any. What is completed and missing is in none of these.
        missing: What is missing as well, or only that if there are no `statuses`.
        viewer: Only what this person may see; None sees all.
        owners: Only what one of these holds (or asked for, if nobody holds it); None is anyone's.
        as_of: Only this one and what was asked for before it.
        text: Words that must all occur in title, artist or album, whatever their case or accents.
    """

    statuses: frozenset[Status] = frozenset()
    missing: bool = False
    viewer: str | None = None
    owners: frozenset[str] | None = None
    device_id: str | None = None
    item_types: frozenset[str] = frozenset()
    text: str = ""
    as_of: int | None = None


class DownloadQueries:
    """Looks downloads up. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, download_id: int) -> Download | None:
        """Return one download; None if it is not there (any more)."""
        return self._one(f"{ONE} id = ?", download_id)

    def by_item(self, device_id: str, item_id: str) -> Download | None:
        """Return the download of an item on a device; None if there is none."""
        return self._one(f"{ONE} device_id = ? AND item_id = ?", device_id, item_id)

    def page(
        self, which: DownloadFilter, page: int, page_size: int, *, sort: Sort = Sort.NEWEST
    ) -> tuple[list[Download], int]:
        """Return one page of a list and how many there are in all.

        Args:
            which: What is listed.
            page: From 1; one behind the last is empty.
            page_size: How many a page holds at most.
            sort: What comes first.
        """
        chosen = DownloadRow.select(COLUMNS).where(*_conditions(which))
        counted = DownloadRow.select(fn.COUNT(DownloadRow.id).alias("n")).where(*_conditions(which))
        with self._db.read():
            rows = self._db.rows(chosen.order_by(*ORDERS[sort]).paginate(page, page_size))
            total: int = self._db.rows(counted)[0]["n"]
        return [to_download(row) for row in rows], total

    def rank(self, which: DownloadFilter, download_id: int, *, sort: Sort) -> int | None:
        """Return the place of a download in the list of `page`, from 1; None if it is not in it."""
        rank = fn.ROW_NUMBER().over(order_by=list(ORDERS[sort])).alias("rank")
        ranked = DownloadRow.select(DownloadRow.id, rank).where(*_conditions(which))
        query = peewee.Select([ranked], [ranked.c.rank]).where(ranked.c.id == download_id)
        return next((row["rank"] for row in self._db.rows(query)), None)

    def ids(self, which: DownloadFilter, most: int) -> list[int]:
        """Return the ids of the same list, in the order of the queue, `most` at the most."""
        query = DownloadRow.select(DownloadRow.id).where(*_conditions(which))
        return [row["id"] for row in self._db.rows(query.order_by(*IN_TURN).limit(most))]

    def counts(self, which: DownloadFilter) -> Mapping[str, int]:
        """Count the downloads in each state and the missing ones, 0 where there are none.

        `statuses` is not looked at. Equal to the totals of `page` for each by itself.
        """
        query = (
            DownloadRow.select(DownloadRow.status, fn.COUNT(DownloadRow.id).alias("n"))
            .where(*_about(which))
            .group_by(DownloadRow.status)
        )
        found = {row["status"]: row["n"] for row in self._db.rows(query)}
        missing = self._missing(which)
        counts: dict[str, int] = {status: found.get(status, 0) for status in Status}
        counts[Status.COMPLETED] -= missing
        return {**counts, MISSING: missing}

    def bytes_waiting(self, which: DownloadFilter) -> int:
        """Return the bytes still to come of all that waits, as far as their sizes are known."""
        left = fn.MAX(fn.COALESCE(DownloadRow.expected_size, 0) - DownloadRow.bytes_downloaded, 0)
        query = DownloadRow.select(fn.COALESCE(fn.SUM(left), 0).alias("left"))
        total: int = self._db.rows(query.where(PENDING, *_about(which)))[0]["left"]
        return total

    def on_the_way(self, device_id: str, least_priority: int) -> list[Download]:
        """Return what waits or runs for a device at such a priority or a higher one."""
        on_the_way = DownloadRow.status.in_([Status.PENDING, Status.DOWNLOADING])
        urgent = DownloadRow.priority >= least_priority
        query = DownloadRow.select(COLUMNS).where(
            on_the_way, urgent, DownloadRow.device_id == device_id
        )
        return [to_download(row) for row in self._db.rows(query)]

    def positions(self, download_ids: Collection[int]) -> Mapping[int, int]:
        """Return the place in the queue, from 1, of those that are pending."""
        place = fn.ROW_NUMBER().over(order_by=list(IN_TURN))
        queue = DownloadRow.select(DownloadRow.id, place.alias("place")).where(PENDING)
        query = peewee.Select([queue], [queue.c.id, queue.c.place]).where(
            queue.c.id.in_(list(download_ids))
        )
        return {row["id"]: row["place"] for row in self._db.rows(query)}

    def bytes_on_device(self, device_id: str, *, block: int = 1) -> int:
        """Return the bytes of all finished files on a device, each in whole blocks.

        And of the originals that are kept besides. Missing files count: the room they took is
        kept for them until people have answered.
        """
        return sum(
            self._db.sql(sql, (block, block, block, device_id))[0][0] for sql in (FILES, ORIGINALS)
        )

    def bytes_missing(self, device_id: str) -> int:
        """Return the bytes of the finished files that are missing on a device."""
        return int(self._db.sql(MISSING_BYTES, (device_id,))[0][0])

    def files_and_missing(self, device_id: str) -> tuple[int, int]:
        """Return how many finished files a device should have, and how many are missing."""
        with self._db.read():
            files, missing = (
                int(self._db.sql(sql, (device_id,))[0][0]) for sql in (ON_DEVICE, MISSING_ON)
            )
        return files, missing

    def files_on(self, device_id: str) -> list[Expected]:
        """Return what every finished file of a device should look like; quick for many."""
        rows = self._db.sql(
            "SELECT id, file_path, file_size, content_hash, completed_at,"
            " missing_since IS NOT NULL, is_asked_about FROM downloads"
            " WHERE status = 'completed' AND device_id = ? ORDER BY id",
            (device_id,),
        )
        moment = DownloadRow.completed_at.python_value
        return [
            Expected(file_id, path, size or 0, content_hash, moment(at), bool(gone), bool(asked))
            for file_id, path, size, content_hash, at, gone, asked in rows
        ]

    def failed_and_due(self, now: datetime) -> list[Download]:
        """Return what failed with a cooldown that is over: to be retried."""
        query = DownloadRow.select(COLUMNS).where(
            DownloadRow.status == Status.FAILED, DownloadRow.retry_next_at <= now
        )
        return [to_download(row) for row in self._db.rows(query)]

    def _missing(self, which: DownloadFilter) -> int:
        query = DownloadRow.select(fn.COUNT(DownloadRow.id).alias("n"))
        missing: int = self._db.rows(query.where(IS_MISSING, *_about(which)))[0]["n"]
        return missing

    def _one(self, text: str, *values: object) -> Download | None:
        rows = self._db.sql(text, values)
        return from_columns(rows[0]) if rows else None


# Written out, not as parameters: SQLite takes a partial index only if it can see its condition.
PENDING = peewee.SQL("\"status\" = 'pending'")
# From their own index: else SQLite walks along all ids to find the few of them.
IS_MISSING = DownloadRow.id.in_(
    peewee.SQL("(SELECT id FROM downloads WHERE missing_since IS NOT NULL)")
)


def to_download(row: Row) -> Download:
    """Return the value that a row of `COLUMNS` stands for."""
    return Download(**row)


def from_columns(values: Iterable[object]) -> Download:
    """Return the value that the plain columns `NAMES` stand for."""
    pairs = zip(FIELDS, values, strict=True)
    return Download(**{field.name: field.python_value(value) for field, value in pairs})


def search_key(*texts: str | None) -> str:
    """Return what a search compares: no case, no accents."""
    spread = unicodedata.normalize("NFKD", "\n".join(text for text in texts if text))
    return "".join(one for one in spread if not unicodedata.combining(one)).casefold()


def _conditions(which: DownloadFilter) -> list[Condition]:
    conditions = _about(which)
    if which.statuses:
        chosen = DownloadRow.status.in_(sorted(which.statuses))
        if Status.COMPLETED in which.statuses:
            chosen &= DownloadRow.missing_since.is_null()
        conditions.append(chosen | IS_MISSING if which.missing else chosen)
    elif which.missing:
        conditions.append(IS_MISSING)
    return conditions


def _about(which: DownloadFilter) -> list[Condition]:
    conditions: list[Condition] = []
    if which.viewer is not None:
        conditions.append(_concerns({which.viewer}))
    if which.owners is not None:
        conditions.append(_concerns(which.owners))
    if which.as_of is not None:
        conditions.append(DownloadRow.id <= which.as_of)
    if which.device_id is not None:
        conditions.append(DownloadRow.device_id == which.device_id)
    if which.item_types:
        conditions.append(DownloadRow.item_type.in_(sorted(which.item_types)))
    conditions += [
        fn.INSTR(DownloadRow.search_key, word) > 0 for word in search_key(which.text).split()
    ]
    return conditions or [peewee.SQL("1")]


def _concerns(user_ids: Collection[str]) -> Condition:
    """One of them holds it; or asked for it and nobody holds it."""
    people = sorted(user_ids)
    anyone = HoldRow.select(peewee.SQL("1")).where(
        HoldRow.device_id == DownloadRow.device_id, HoldRow.item_id == DownloadRow.item_id
    )
    theirs = anyone.where(HoldRow.user_id.in_(people))
    return fn.EXISTS(theirs) | (DownloadRow.user_id.in_(people) & ~fn.EXISTS(anyone))
