"""Reads downloads: single ones, lists and counts.

Changes nothing. A list and its count come from the same conditions, so they cannot disagree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

import peewee

from sidecar.domain.downloads.download import MISSING, Download, Standing, Status
from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.files.removals import Expected
from sidecar.store.database import Database, Row
from sidecar.store.downloads.filter import (
    IS_MISSING,
    DownloadFilter,
    Statement,
    build_conditions,
    build_count_conditions,
    build_scope_conditions,
    build_visibility_condition,
    is_active,
    join_statements,
)
from sidecar.store.downloads.order import MAY_COME, NotNow
from sidecar.store.schema.tables import DownloadRow, HoldRow

FIELDS = [getattr(DownloadRow, one.name) for one in fields(Download)]
FIELD_NAMES = [one.name for one in FIELDS]
# Values of these are the same in the database as outside.
AS_IT_IS = (peewee.AutoField, peewee.IntegerField, peewee.TextField, peewee.FloatField)
# The places of the others, and how they are read and written.
READERS: Sequence[tuple[int, Callable[[Any], Any]]] = [
    (place, one.python_value) for place, one in enumerate(FIELDS) if type(one) not in AS_IT_IS
]
WRITERS: Mapping[str, Callable[[Any], Any]] = {
    name: field.db_value
    for name, field in DownloadRow._meta.fields.items()  # noqa: SLF001 - peewee's public one
    if type(field) not in AS_IT_IS
}
NAMES = ", ".join(f'"{one.column_name}"' for one in FIELDS)
# As text: peewee would build these thirty names anew for each query.
COLUMNS = peewee.SQL(NAMES)
ONE = f"SELECT {NAMES} FROM downloads WHERE"  # noqa: S608 - names of our own columns
USE = """SELECT device_id, sum(files), sum(bytes), sum(missing), sum(bytes_missing), sum(waiting)
    FROM (
        SELECT device_id, files, bytes, 0 AS missing, 0 AS bytes_missing, 0 AS waiting FROM tallies
            WHERE status = 'completed'
        UNION ALL SELECT device_id, 0, 0, 0, 0, files FROM tallies WHERE status = 'pending'
        UNION ALL SELECT device_id, 0, original_size, 0, 0, 0 FROM downloads
            WHERE original_size IS NOT NULL
        UNION ALL SELECT device_id, 0, 0, 1, file_size, 0 FROM downloads
            WHERE missing_since IS NOT NULL
    ) AS every GROUP BY device_id"""
FILES = """SELECT coalesce(sum((file_size + ? - 1) / ? * ?), 0) FROM downloads
    WHERE status = 'completed' AND device_id = ?"""
FILES_AT_MOST = """SELECT coalesce(sum(bytes + files * (? - 1)), 0) FROM tallies
    WHERE status = 'completed' AND device_id = ?"""
FILES_AT_ONCE, ALL = 2000, 2**31 - 1
ORIGINALS = """SELECT coalesce(sum((original_size + ? - 1) / ? * ?), 0) FROM downloads
    WHERE original_size IS NOT NULL AND device_id = ?"""
MISSING_BY_DEVICE = f"""SELECT d.device_id, '{MISSING}', count(*), NULL FROM downloads AS d
    WHERE d.missing_since IS NOT NULL"""  # noqa: S608 - our own word
# The first in order of its index, which has these conditions.
LAST_ARRIVAL = """SELECT d.completed_at FROM downloads AS d WHERE d.status = 'completed'
    AND d.missing_since IS NULL AND d.completed_at > 0 AND d.device_id = every.device_id"""
STANDINGS = """SELECT d.device_id, d.item_id, d.status, d.priority, d.missing_since IS NOT NULL
    FROM json_each(?) AS one CROSS JOIN downloads AS d
    ON d.device_id = json_extract(one.value, '$[0]')
        AND d.item_id = json_extract(one.value, '$[1]')"""
BY_ITEMS = f"""SELECT {NAMES} FROM downloads WHERE (device_id, item_id) IN (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))"""  # noqa: S608 - names of our own columns
IN_TURN = "d.priority DESC, d.place, d.id"
# What runs, waits or is paused, in turn: a row stays where it is when that changes. Then the rest.
ACTIVE_FIRST = """CASE WHEN d.status IN ('downloading', 'paused', 'pending') THEN 0 ELSE 1 END"""
Order = tuple[tuple[str, bool], ...]  # expressions, and whether each is descending
ORDERS: Mapping[Sort, Order] = MappingProxyType(
    {
        Sort.NEWEST: (("d.id", True),),
        Sort.QUEUE: (
            (ACTIVE_FIRST, False),
            ("d.priority", True),
            ("d.place", False),
            ("d.id", False),
        ),
        Sort.TITLE: (("d.search_key", False), ("d.id", False)),
        Sort.SIZE: (("coalesce(d.file_size, d.expected_size, 0)", True), ("d.id", False)),
    }
)
# So few matches are gathered from its index; more of them are met soon enough in order.
FEW = 1000
LISTED = f"SELECT {NAMES} FROM downloads AS d WHERE TRUE"  # noqa: S608 - names of our own columns
THESE = """FROM json_each(?) AS one
    CROSS JOIN downloads AS d ON d.id = CAST(one.value AS INTEGER) WHERE TRUE"""
COUNTED = "SELECT count(*) FROM downloads AS d WHERE TRUE"
# All that is asked of words is found in one look at that index: its texts are read but once.
WITH_WORDS = """SELECT d.status, count(*), count(d.missing_since),
        group_concat(CAST(d.id AS TEXT), ','),
        group_concat(CASE WHEN d.has_copies = 1 AND d.missing_since IS NULL
            THEN d.item_id END, ','),
        group_concat(CASE WHEN d.has_copies = 1 AND d.missing_since IS NOT NULL
            THEN d.item_id END, ',')
    FROM downloads AS d INDEXED BY downloads_by_title WHERE TRUE"""
# Literals, not parameters: SQLite uses a partial index only if it can see its condition.
TO_FETCH = "SELECT coalesce(sum(max(coalesce(d.expected_size, 0) - d.bytes_downloaded, 0)), 0) FROM"
WAITING = f"{TO_FETCH} downloads AS d INDEXED BY downloads_to_fetch WHERE d.status = 'pending'"
# From what is theirs: most of what waits is often others'.
THEIRS_WAITING = f"""{TO_FETCH} owned AS o CROSS JOIN downloads AS d ON d.id = o.download_id
    WHERE d.status = 'pending' AND o.status = 'pending' AND o.user_id = ?"""
NUMBERED = f"""SELECT d.id AS id, row_number() OVER (ORDER BY {IN_TURN}) AS place
        FROM downloads AS d WHERE d.status = 'pending'"""  # noqa: S608 - ours
POSITIONS = f"""SELECT id, place FROM ({NUMBERED}) AS numbered
    WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))"""  # noqa: S608 - ours
TURNS = f"""SELECT there.item_id, there.id, there.status, numbered.place
    FROM downloads AS there LEFT JOIN ({NUMBERED}) AS numbered ON numbered.id = there.id
    WHERE there.device_id = ? AND there.item_id IN (SELECT value FROM json_each(?))"""  # noqa: S608 - ours


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """What a device should have.

    Attributes:
        files, bytes: Of all finished files, the missing ones and kept originals included.
        missing, bytes_missing: Of those that are missing.
        waiting: How many downloads are pending.
    """

    files: int = 0
    bytes: int = 0
    missing: int = 0
    bytes_missing: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class DeviceState:
    """How the downloads of one device stand.

    Attributes:
        counts: How many are in each state; states without any are left out.
        last_arrival: When the last of its files was completed.
    """

    counts: Mapping[Status, int]
    last_arrival: datetime | None = None

    @property
    def on_the_way(self) -> int:
        """How many wait for their turn or are being fetched."""
        return sum(self.counts.get(one, 0) for one in (Status.PENDING, Status.DOWNLOADING))

    @property
    def has_any(self) -> bool:
        """Whether any of its downloads is there, or may still come."""
        return bool(self.counts.keys() - {Status.REMOVED})


@dataclass(frozen=True, slots=True)
class Matches:
    """The downloads in one state that have the words of a list.

    Attributes:
        files, missing: How many they are, and how many of them the last scan did not find.
        ids: Which they are, with commas between them.
        copied, copied_missing: Their items, once for each, as far as these have other downloads.
    """

    files: int
    missing: int
    ids: str
    copied: Sequence[str]
    copied_missing: Sequence[str]


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the download of an item is in the queue: from 1, None unless it is pending."""

    id: int
    status: Status
    position: int | None


class DownloadQueries:
    """Looks downloads up. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, download_id: int) -> Download | None:
        """Return a download; None if there is none."""
        return self._find_one(f"{ONE} id = ?", download_id)

    def find_as_seen(self, seen: Download) -> Download | None:
        """Return a finished download as it is now; None if its file is another one, or elsewhere.

        Asked in the `write` in which something is recorded of the file that the caller looked at.
        """
        now = self.get(seen.id)
        is_same = now is not None and now.still_has(seen.file_path, seen.completed_at)
        return now if is_same else None

    def seen(self, download_id: int, viewer: str | None) -> Download | None:
        """Return a download; None if there is none that this account may see.

        One statement, so that both cases take the same time.
        """
        which = build_visibility_condition(viewer)
        return self._find_one(f"{LISTED} AND d.id = ?{which.text}", download_id, *which.values)

    def all_seen(self, download_ids: Iterable[int], viewer: str | None) -> dict[int, Download]:
        """Return those of these downloads that this account may see, with one statement."""
        which = build_visibility_condition(viewer)
        asked = json.dumps(list(download_ids))
        rows = self._db.sql(
            f"{LISTED} AND d.id IN (SELECT CAST(value AS INTEGER) FROM json_each(?)){which.text}",  # noqa: S608 - ours
            (asked, *which.values),
        )
        return {one.id: one for one in map(from_columns, rows)}

    def by_item(self, device_id: str, item_id: str) -> Download | None:
        """Return the download of an item on a device; None if there is none."""
        return self._find_one(f"{ONE} device_id = ? AND item_id = ?", device_id, item_id)

    def by_items(self, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Download]:
        """Return the downloads of many items, by the ids of device and item."""
        found = map(from_columns, self._db.sql(BY_ITEMS, (json.dumps(list(asked)),)))
        return {(one.device_id, one.item_id): one for one in found}

    def standings(self, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Standing]:
        """Return how the downloads of many items stand, by the ids of device and item."""
        rows = self._db.sql(STANDINGS, (json.dumps(list(asked)),))
        return {
            (device_id, item_id): Standing(Status(status), priority, bool(is_missing))
            for device_id, item_id, status, priority, is_missing in rows
        }

    def page(
        self, which: DownloadFilter, page: int, page_size: int, *, sort: Sort = Sort.NEWEST
    ) -> tuple[list[Download], int]:
        """Return one page of a list and the total number.

        Args:
            which: What is listed.
            page: From 1; a page behind the last is empty.
            page_size: The most downloads on a page.
            sort: The order.
        """
        asked = build_conditions(which)
        before = (page - 1) * page_size
        with self._db.read():
            total = self._total(which)
            if total <= before:
                return [], total
            source = self.source(which, total, sort)
            cut = join_statements([source, asked, cut_page(sort, total, before, page_size)])
            listed = f"{LISTED} AND d.id IN (SELECT d.id {cut.text}) ORDER BY {in_order(sort)}"
            rows = self._db.sql(listed, cut.values)
        return [from_columns(row) for row in rows], total

    def ids(self, which: DownloadFilter, most: int) -> list[int]:
        """Return at most `most` ids of a list, in the order of the queue."""
        asked = build_conditions(which)
        listed = (
            f"SELECT d.id FROM downloads AS d WHERE TRUE{asked.text} ORDER BY {IN_TURN} LIMIT ?"  # noqa: S608 - ours
        )
        return [found for (found,) in self._db.sql(listed, (*asked.values, most))]

    def counts(self, which: DownloadFilter) -> Mapping[str, int]:
        """Count the downloads in each state and the missing ones, 0 where there are none.

        `which.statuses` is ignored. Each count equals the total of `page` for that state.
        """
        whose = replace(which, statuses=frozenset(), missing=False)
        return self._db.once((DownloadQueries, whose), partial(self._count, whose))

    def number(self, status: Status, which: DownloadFilter) -> int:
        """Return how many downloads in this state, missing or not, match."""
        return self._by_status(which).get(status, 0)

    def _total(self, which: DownloadFilter) -> int:
        if which.missing or not which.statuses or Status.COMPLETED in which.statuses:
            return count_listed(which, self.counts(which))
        # No missing file is in these states: nobody counts them.
        by_status = self._by_status(replace(which, statuses=frozenset()))
        return sum(by_status.get(one, 0) for one in which.statuses)

    def source(self, which: DownloadFilter, total: int, sort: Sort) -> Statement:
        """Return whence a list of `total` is read: before its conditions."""
        if which.text and total < FEW:
            # They were met when they were counted.
            ids = ",".join(one.ids for one in self.matches(which).values())
            return Statement(THESE, (f"[{ids}]",))
        index = _name_index(which, total, sort)
        return Statement(f"FROM downloads AS d{index} WHERE TRUE", ())

    def matches(self, which: DownloadFilter) -> Mapping[str, Matches]:
        """Return what has the words of a list, by its state; `which.statuses` is ignored."""
        whose = replace(which, statuses=frozenset(), missing=False)
        return self._db.once((DownloadQueries, "words", whose), partial(self._read_matches, whose))

    def _read_matches(self, whose: DownloadFilter) -> Mapping[str, Matches]:
        asked = build_count_conditions(whose)
        rows = self._db.sql(f"{WITH_WORDS}{asked.text} GROUP BY d.status", asked.values)
        return {
            status: Matches(files, missing, ids, _split(copied), _split(copied_missing))
            for status, files, missing, ids, copied, copied_missing in rows
        }

    def _by_status(self, whose: DownloadFilter) -> Mapping[str, int]:
        if whose.text:
            return {status: one.files for status, one in self.matches(whose).items()}
        asked = select_counts(whose)
        return self._db.once(
            (DownloadQueries, "status", whose), lambda: dict(self._db.sql(asked.text, asked.values))
        )

    def _count(self, which: DownloadFilter) -> Mapping[str, int]:
        asked = build_count_conditions(which)
        found = self._by_status(which)
        missing: int
        if which.text:
            missing = sum(one.missing for one in self.matches(which).values())
        else:
            missing = self._db.sql(f"{COUNTED} AND {IS_MISSING}{asked.text}", asked.values)[0][0]
        counts = {str(status): found.get(status, 0) for status in Status}
        counts[Status.COMPLETED] -= missing
        return {**counts, MISSING: missing}

    def by_device(
        self, viewer: str | None, left_out: frozenset[str] = frozenset()
    ) -> Mapping[str, DeviceState]:
        """Return how the downloads of each device stand; devices without any are left out.

        Missing files are not counted.

        Args:
            viewer: Only what this person may see; None sees all.
            left_out: Devices of which nothing is told.
        """
        which = DownloadFilter(viewer=viewer, left_out=left_out)
        kept, asked = _build_kept(which), build_scope_conditions(which)
        last = f"{LAST_ARRIVAL}{asked.text} ORDER BY d.completed_at DESC LIMIT 1"
        found = self._db.sql(
            f"SELECT device_id, status, files, CASE WHEN status = 'completed' THEN ({last}) END"  # noqa: S608 - ours
            f" FROM (SELECT device_id, status, sum(files) AS files {kept.text}"
            " GROUP BY status, device_id) AS every"
            f" UNION ALL {MISSING_BY_DEVICE}{asked.text} GROUP BY 1",
            (*asked.values, *kept.values, *asked.values),
        )
        counts: dict[str, dict[str, int]] = {}
        arrivals: dict[str, datetime | None] = {}
        for device_id, state, number, at in found:
            counts.setdefault(device_id, {})[state] = number
            if at is not None:
                arrivals[device_id] = DownloadRow.completed_at.python_value(at)
        return {
            device_id: DeviceState(_without_missing(states), arrivals.get(device_id))
            for device_id, states in counts.items()
        }

    def bytes_waiting(self, which: DownloadFilter) -> int:
        """Return the bytes that pending downloads still have to fetch, as far as known."""
        asked = build_count_conditions(replace(which, viewer=None))
        whose = Statement(WAITING, ())
        if which.viewer is not None:
            whose = Statement(THEIRS_WAITING, (which.viewer,))
        told = join_statements([whose, asked])
        left: int = self._db.sql(told.text, told.values)[0][0]
        return left

    def coming(
        self, which: DownloadFilter, now: datetime, not_now: NotNow, most: int
    ) -> list[Download]:
        """Return the next of a list that wait for nothing but their turn; its statuses are ignored.

        What was tried in vain before is left out: that is told of as such.
        """
        asked = build_scope_conditions(which).of("downloads")
        rows = self._db.sql(
            f"SELECT {NAMES} FROM {MAY_COME} AND error_message IS NULL{asked.text}"  # noqa: S608 - ours
            " ORDER BY priority DESC, place, id LIMIT ?",
            (*not_now.values(now), *asked.values, most),
        )
        return [from_columns(one) for one in rows]

    def on_the_way(self, device_id: str, least_priority: int) -> list[Download]:
        """Return a device's pending and running downloads of at least this priority."""
        on_the_way = DownloadRow.status.in_([Status.PENDING, Status.DOWNLOADING])
        urgent = DownloadRow.priority >= least_priority
        query = DownloadRow.select(COLUMNS).where(
            on_the_way, urgent, DownloadRow.device_id == device_id
        )
        return [to_download(row) for row in self._db.rows(query)]

    def positions(self, download_ids: Collection[int]) -> Mapping[int, int]:
        """Return the position in the queue, from 1, of those that are pending."""
        asked = json.dumps(list(download_ids))
        return dict(self._db.sql(POSITIONS, (asked,)))

    def turns(self, device_id: str, item_ids: Collection[str]) -> Mapping[str, Turn]:
        """Return where the downloads of many items on a device are in the queue, by item."""
        rows = self._db.sql(TURNS, (device_id, json.dumps(list(item_ids))))
        return {
            item_id: Turn(download_id, Status(status), place)
            for item_id, download_id, status, place in rows
        }

    def bytes_on_device(self, device_id: str, *, block: int = 1) -> int:
        """Return the bytes of all finished files on a device, each in whole blocks.

        Kept originals are included. Missing files count: their space stays reserved until people
        have answered what became of them.
        """
        return sum(
            self._db.sql(sql, (block, block, block, device_id))[0][0] for sql in (FILES, ORIGINALS)
        )

    def most_bytes_on_device(self, device_id: str, *, block: int) -> int:
        """Return no less than `bytes_on_device` does, without a look at each file."""
        return sum(
            self._db.sql(sql, parameters)[0][0]
            for sql, parameters in (
                (FILES_AT_MOST, (block, device_id)),
                (ORIGINALS, (block, block, block, device_id)),
            )
        )

    def use_of_devices(self) -> Mapping[str, DeviceUse]:
        """Return what each device should have, by id; one that has nothing may be left out."""
        return read_use(self._db)

    def use_of(self, device_id: str) -> DeviceUse:
        """Return what a device should have."""
        return self.use_of_devices().get(device_id, DeviceUse())

    def files_on(self, device_id: str) -> list[Expected]:
        """Return path, size and hash that each finished file of a device should have."""
        return self._read_files(device_id, after=0, most=ALL)

    def some_files_on(
        self, device_id: str, *, at_once: int = FILES_AT_ONCE
    ) -> Iterator[Sequence[Expected]]:
        """Yield the same, some thousand at a time: all at once may take 30 MB.

        What changes meanwhile may be told as it was or as it is.
        """
        last = 0
        while some := self._read_files(device_id, after=last, most=at_once):
            yield some
            last = some[-1].id

    def _read_files(self, device_id: str, *, after: int, most: int) -> list[Expected]:
        rows = self._db.each(
            "SELECT id, file_path, file_size, content_hash, completed_at,"
            " missing_since IS NOT NULL, is_asked_about FROM downloads"
            " WHERE status = 'completed' AND device_id = ? AND id > ? ORDER BY id LIMIT ?",
            (device_id, after, most),
        )
        moment = DownloadRow.completed_at.python_value
        return [
            Expected(file_id, path, size or 0, content_hash, moment(at), bool(gone), bool(asked))
            for file_id, path, size, content_hash, at, gone, asked in rows
        ]

    def failed_and_due(self, now: datetime) -> list[Download]:
        """Return the failed downloads whose cooldown is over."""
        query = DownloadRow.select(COLUMNS).where(
            DownloadRow.status == Status.FAILED, DownloadRow.retry_next_at <= now
        )
        return [to_download(row) for row in self._db.rows(query)]

    def failed_for(self, error_codes: Collection[str]) -> list[Download]:
        """Return what failed for one of these reasons."""
        query = DownloadRow.select(COLUMNS).where(
            DownloadRow.status == Status.FAILED, DownloadRow.error_code.in_(list(error_codes))
        )
        return [to_download(row) for row in self._db.rows(query)]

    def waiting_for(self, user_ids: Collection[str]) -> list[Download]:
        """Return what is queued to be fetched by these accounts, and is held by others too."""
        others = HoldRow.select(HoldRow.id).where(
            HoldRow.device_id == DownloadRow.device_id,
            HoldRow.item_id == DownloadRow.item_id,
            HoldRow.user_id.not_in(list(user_ids)),
        )
        query = DownloadRow.select(COLUMNS).where(
            DownloadRow.status == Status.PENDING,
            DownloadRow.user_id.in_(list(user_ids)),
            peewee.fn.EXISTS(others),
        )
        return [to_download(row) for row in self._db.rows(query)]

    def failed_on(self, device_id: str, error_codes: Collection[str]) -> list[Download]:
        """Return what failed on a device for one of these reasons."""
        query = DownloadRow.select(COLUMNS).where(
            DownloadRow.status == Status.FAILED,
            DownloadRow.device_id == device_id,
            DownloadRow.error_code.in_(error_codes),
        )
        return [to_download(row) for row in self._db.rows(query)]

    def waiting_of_types(self, device_id: str, item_types: Collection[str]) -> list[Download]:
        """Return what waits in the queue of a device and is of one of these types."""
        query = DownloadRow.select(COLUMNS).where(
            DownloadRow.status == Status.PENDING,
            DownloadRow.device_id == device_id,
            DownloadRow.item_type.in_(item_types),
        )
        return [to_download(row) for row in self._db.rows(query)]

    def _find_one(self, text: str, *values: object) -> Download | None:
        rows = self._db.sql(text, values)
        return from_columns(rows[0]) if rows else None


def select_counts(which: DownloadFilter) -> Statement:
    """Return the statement that counts the downloads in each state; tests check its plan."""
    if which == DownloadFilter(
        viewer=which.viewer, device_id=which.device_id, left_out=which.left_out
    ):
        kept = _build_kept(which)
        return Statement(f"SELECT status, sum(files) {kept.text} GROUP BY status", kept.values)
    asked = build_count_conditions(which)
    text = f"SELECT d.status, count(*) FROM downloads AS d WHERE TRUE{asked.text} GROUP BY d.status"  # noqa: S608 - ours
    return Statement(text, asked.values)


def _build_kept(which: DownloadFilter) -> Statement:
    """Return whence the numbers of a list come that triggers keep, by state and device."""
    if which.viewer is None:
        table, whose = "tallies", Statement(" WHERE files > 0", ())
    else:
        table, whose = "own_tallies", Statement(" WHERE user_id = ?", (which.viewer,))
    devices = DownloadFilter(device_id=which.device_id, left_out=which.left_out)
    asked = build_scope_conditions(devices).of(table)
    return join_statements([Statement(f"FROM {table}", ()), whose, asked])


def _name_index(which: DownloadFilter, total: int, sort: Sort) -> str:
    """Name the index of a list, where SQLite would take one that sorts all of it.

    That of titles for a list by title, and for a list of few, with conditions which no other index
    has; that of the queue.
    """
    is_by_title = sort is Sort.TITLE and which.statuses
    if is_by_title or (total < FEW and which.item_types):
        return " INDEXED BY downloads_by_title"
    is_queue = sort is Sort.QUEUE and Status.PENDING in which.statuses and is_active(which)
    return " INDEXED BY downloads_in_turn" if is_queue else ""


def count_listed(which: DownloadFilter, counts: Mapping[str, int]) -> int:
    """Return how many of the counted downloads a list has."""
    if not which.statuses:
        return counts[MISSING] if which.missing else sum(counts.values())
    return sum(counts[one] for one in which.statuses) + (counts[MISSING] if which.missing else 0)


def read_use(db: Database) -> Mapping[str, DeviceUse]:
    """Return what each device should have, by id; one that has nothing may be left out."""

    def read() -> Mapping[str, DeviceUse]:
        return {device_id: DeviceUse(*found) for device_id, *found in db.sql(USE)}

    return db.once(USE, read)


def list_copied(which: DownloadFilter, found: Mapping[str, Matches]) -> Sequence[str]:
    """Return the items of those of the matches that a list has, as far as these have copies."""
    listed = [one.copied for state, one in found.items() if state in which.statuses]
    if which.missing or not which.statuses:
        listed += [one.copied_missing for one in found.values()]
    if not which.missing and not which.statuses:
        listed += [one.copied for one in found.values()]
    return [item for some in listed for item in some]


def _split(ids: str | None) -> Sequence[str]:
    return ids.split(",") if ids else ()


def _without_missing(states: Mapping[str, int]) -> Mapping[Status, int]:
    """Return the counts of rows in each state without the missing files, which are completed."""
    missing = {Status.COMPLETED: states.get(MISSING, 0)}
    left = {one: states.get(one, 0) - missing.get(one, 0) for one in Status}
    return {one: number for one, number in left.items() if number}


def cut_page(sort: Sort, total: int, before: int, most: int) -> Statement:
    """Return what cuts a page out of a list of `total`, with `before` of them on earlier pages."""
    left = total - before
    most = min(most, left)
    # From the nearer end: what lies before a page is passed over one by one.
    from_end = left < before
    order = in_order(sort, reverse=from_end)
    place = (most, left - most if from_end else before)
    return Statement(f" ORDER BY {order} LIMIT ? OFFSET ?", place)


def in_order(sort: Sort, *, reverse: bool = False) -> str:
    """Return what a list is ordered by."""
    return ", ".join(
        f"{one} DESC" if is_descending is not reverse else one
        for one, is_descending in ORDERS[sort]
    )


def to_download(row: Row) -> Download:
    """Convert a row of `COLUMNS`."""
    return Download(**row)


def from_columns(values: Iterable[Any]) -> Download:
    """Convert the raw values of the columns `NAMES`."""
    told = [*values]
    for place, read in READERS:
        if told[place] is not None:
            told[place] = read(told[place])
    return Download(**dict(zip(FIELD_NAMES, told, strict=True)))


def to_stored(columns: Mapping[str, object]) -> list[object]:
    """Return the values of columns as the database has them."""
    return [
        value if (write := WRITERS.get(name)) is None else write(value)
        for name, value in columns.items()
    ]
