"""Reads downloads: single ones, lists and counts.

Changes nothing. A list and its count come from the same conditions, so they cannot disagree.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from types import MappingProxyType

import peewee

from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.downloads.states import MISSING, Download, Status
from sidecar.domain.files.removals import Expected
from sidecar.store.database import Database, Row
from sidecar.store.downloads.filter import (
    IS_MISSING,
    DownloadFilter,
    build_conditions,
    build_count_conditions,
    build_scope_conditions,
    build_visibility_condition,
)
from sidecar.store.schema.tables import DownloadRow

FIELDS = [getattr(DownloadRow, one.name) for one in fields(Download)]
NAMES = ", ".join(f'"{one.column_name}"' for one in FIELDS)
# As text: peewee would build these thirty names anew for each query.
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
ARRIVED = """SELECT d.completed_at FROM downloads AS d
    WHERE d.status = 'completed' AND d.missing_since IS NULL"""
LAST_FIRST = "ORDER BY d.completed_at DESC LIMIT 1"
IN_TURN = "d.priority DESC, d.place, d.id"
ORDERS = MappingProxyType(
    {
        Sort.NEWEST: "d.id DESC",
        # Running, pending, paused, the rest.
        Sort.QUEUE: "CASE d.status WHEN 'downloading' THEN 0 WHEN 'pending' THEN 1"
        f" WHEN 'paused' THEN 2 ELSE 3 END, {IN_TURN}",
        Sort.TITLE: "d.search_key, d.id",
        Sort.SIZE: "coalesce(d.file_size, d.expected_size, 0) DESC, d.id",
    }
)
LISTED = f"SELECT {NAMES} FROM downloads AS d WHERE TRUE"  # noqa: S608 - names of our own columns
COUNTED = "SELECT count(*) FROM downloads AS d WHERE TRUE"
# Literals, not parameters: SQLite uses a partial index only if it can see its condition.
WAITING = """SELECT coalesce(sum(max(coalesce(d.expected_size, 0) - d.bytes_downloaded, 0)), 0)
    FROM downloads AS d WHERE d.status = 'pending'"""
POSITIONS = f"""SELECT id, place FROM (
        SELECT d.id AS id, row_number() OVER (ORDER BY {IN_TURN}) AS place
        FROM downloads AS d WHERE d.status = 'pending'
    ) WHERE id IN (SELECT value FROM json_each(?))"""  # noqa: S608 - names of our own columns


class DownloadQueries:
    """Looks downloads up. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, download_id: int) -> Download | None:
        """Return a download; None if there is none."""
        return self._find_one(f"{ONE} id = ?", download_id)

    def seen(self, download_id: int, viewer: str | None) -> Download | None:
        """Return a download; None if there is none that this account may see.

        One statement, so that both cases take the same time.
        """
        which = build_visibility_condition(viewer)
        return self._find_one(f"{LISTED} AND d.id = ?{which.text}", download_id, *which.values)

    def by_item(self, device_id: str, item_id: str) -> Download | None:
        """Return the download of an item on a device; None if there is none."""
        return self._find_one(f"{ONE} device_id = ? AND item_id = ?", device_id, item_id)

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
        listed = f"{LISTED}{asked.text} ORDER BY {ORDERS[sort]} LIMIT ? OFFSET ?"
        with self._db.read():
            rows = self._db.sql(listed, (*asked.values, page_size, (page - 1) * page_size))
            total: int = self._db.sql(f"{COUNTED}{asked.text}", asked.values)[0][0]
        return [from_columns(row) for row in rows], total

    def rank(self, which: DownloadFilter, download_id: int, *, sort: Sort) -> int | None:
        """Return the place of a download in the list of `page`, from 1; None if it is not in it."""
        asked = build_conditions(which)
        ranked = (
            f"SELECT d.id AS id, row_number() OVER (ORDER BY {ORDERS[sort]}) AS rank"  # noqa: S608 - ours
            f" FROM downloads AS d WHERE TRUE{asked.text}"
        )
        rows = self._db.sql(
            f"SELECT rank FROM ({ranked}) WHERE id = ?",  # noqa: S608 - ours
            (*asked.values, download_id),
        )
        return next((rank for (rank,) in rows), None)

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
        asked = build_count_conditions(which)
        by_status = (
            f"SELECT d.status, count(*) FROM downloads AS d WHERE TRUE{asked.text}"  # noqa: S608 - ours
            " GROUP BY d.status"
        )
        found: dict[str, int] = dict(self._db.sql(by_status, asked.values))
        missing: int = self._db.sql(f"{COUNTED} AND {IS_MISSING}{asked.text}", asked.values)[0][0]
        counts = {str(status): found.get(status, 0) for status in Status}
        counts[Status.COMPLETED] -= missing
        return {**counts, MISSING: missing}

    def number(self, which: DownloadFilter) -> int:
        """Return how many downloads a list has."""
        asked = build_conditions(which)
        return int(self._db.sql(f"{COUNTED}{asked.text}", asked.values)[0][0])

    def counts_by_device(self, which: DownloadFilter) -> Mapping[str, Mapping[str, int]]:
        """Count the downloads of each device in each state, without the missing ones.

        `which.statuses` is ignored. Devices and states without downloads are left out.
        """
        asked = build_count_conditions(which)
        found = (
            "SELECT d.device_id, d.status, count(*) FROM downloads AS d"  # noqa: S608 - ours
            f" WHERE d.missing_since IS NULL{asked.text} GROUP BY d.device_id, d.status"
        )
        counts: dict[str, dict[str, int]] = {}
        for device_id, status, number in self._db.sql(found, asked.values):
            counts.setdefault(device_id, {})[status] = number
        return counts

    def last_arrival(self, which: DownloadFilter) -> datetime | None:
        """Return when the last of the files that are there now was completed; None without any."""
        asked = build_scope_conditions(which)
        found = self._db.sql(f"{ARRIVED}{asked.text} {LAST_FIRST}", asked.values)
        return next((DownloadRow.completed_at.python_value(one) for (one,) in found), None)

    def bytes_waiting(self, which: DownloadFilter) -> int:
        """Return the bytes that pending downloads still have to fetch, as far as known."""
        asked = build_count_conditions(which)
        left: int = self._db.sql(f"{WAITING}{asked.text}", asked.values)[0][0]
        return left

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

    def bytes_on_device(self, device_id: str, *, block: int = 1) -> int:
        """Return the bytes of all finished files on a device, each in whole blocks.

        Kept originals are included. Missing files count: their space stays reserved until people
        have answered what became of them.
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
        """Return path, size and hash that each finished file of a device should have."""
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
        """Return the failed downloads whose cooldown is over."""
        query = DownloadRow.select(COLUMNS).where(
            DownloadRow.status == Status.FAILED, DownloadRow.retry_next_at <= now
        )
        return [to_download(row) for row in self._db.rows(query)]

    def failed_of(self, user_id: str, error_codes: Collection[str]) -> list[Download]:
        """Return what failed for one of these reasons and is fetched by this account."""
        query = DownloadRow.select(COLUMNS).where(
            DownloadRow.status == Status.FAILED,
            DownloadRow.user_id == user_id,
            DownloadRow.error_code.in_(error_codes),
        )
        return [to_download(row) for row in self._db.rows(query)]

    def _find_one(self, text: str, *values: object) -> Download | None:
        rows = self._db.sql(text, values)
        return from_columns(rows[0]) if rows else None


def to_download(row: Row) -> Download:
    """Convert a row of `COLUMNS`."""
    return Download(**row)


def from_columns(values: Iterable[object]) -> Download:
    """Convert the raw values of the columns `NAMES`."""
    pairs = zip(FIELDS, values, strict=True)
    return Download(**{field.name: field.python_value(value) for field, value in pairs})
