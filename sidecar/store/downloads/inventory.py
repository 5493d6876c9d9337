"""The files on a device and the downloads that wait for it, as input for the space plan.

A few SELECTs for a whole device, all in one read transaction.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sidecar.domain.formats.formats import AnyTarget, read_any_target
from sidecar.domain.space.budget import WantedFile
from sidecar.domain.space.eviction import HoldStrength, Stored, classify
from sidecar.domain.wishes import PIN, EvictionClass
from sidecar.process.threads import go_through
from sidecar.store.database import Database
from sidecar.store.downloads.queries import DeviceUse, read_use
from sidecar.store.schema.tables import DownloadRow

# Of some devices, named first in each row.
THESE = "device_id IN (SELECT value FROM json_each(?))"
STORED = f"""SELECT device_id, id, item_id, file_size + coalesce(original_size, 0),
        last_used_seq, missing_since IS NOT NULL
    FROM downloads INDEXED BY downloads_on_device
    WHERE status = 'completed' AND {THESE}"""  # noqa: S608 - an expression of ours
# As `Download.size`: of the file, else of the responses, else of the last scan.
SIZE = "coalesce(file_size, CAST(json_extract(validator, '$[1]') AS INTEGER), expected_size)"
WAITING = f"""SELECT device_id, id, item_id, {SIZE}, format, seconds, bytes_downloaded,
        priority, queued_at
    FROM downloads INDEXED BY downloads_to_claim
    WHERE status = 'pending' AND {THESE}
        AND (retry_next_at IS NULL OR retry_next_at <= ?)"""  # noqa: S608 - an expression of ours
RUNNING = f"""SELECT id, {SIZE}, bytes_downloaded FROM downloads INDEXED BY downloads_by_status
    WHERE status = 'downloading' AND device_id = ?"""  # noqa: S608 - an expression of ours
GRIPS = f"SELECT device_id, item_id, rule, release_at IS NOT NULL FROM holds WHERE {THESE}"  # noqa: S608 - ours
GRIPS_OF = """SELECT item_id, rule, release_at IS NOT NULL FROM holds
    WHERE device_id = ? AND item_id = ?"""
# So many are read and planned in some hundredths of a second: nobody notices when it is done anew.
FEW_FILES = 2000
SEEN_BY = """SELECT download_id FROM json_each(?) AS one CROSS JOIN owned
    ON owned.download_id = CAST(one.value AS INTEGER) AND owned.user_id = ?"""
TITLES = """SELECT downloads.id, item_id, title FROM json_each(?) AS one CROSS JOIN downloads
    ON downloads.id = CAST(one.value AS INTEGER)"""
THERE = """SELECT downloads.id FROM json_each(?) AS one CROSS JOIN downloads
    ON downloads.id = CAST(one.value AS INTEGER)"""
TITLES_SEEN_BY = """SELECT downloads.id, item_id, title FROM json_each(?) AS one CROSS JOIN owned
    ON owned.download_id = CAST(one.value AS INTEGER) AND owned.user_id = ?
    CROSS JOIN downloads ON downloads.id = owned.download_id"""


@dataclass(frozen=True, slots=True)
class Coming:
    """A running download.

    Attributes:
        size: Bytes of the whole file; 0 if nobody knows.
        held: Bytes of it that are known to be on the device.
    """

    download_id: int
    size: int
    held: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """The input of a plan for one device."""

    stored: tuple[Stored, ...]
    waiting: tuple[WantedFile, ...]


class Inventory:
    """Reads the state of devices. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def list_holdings(
        self,
        device_id: str,
        now: datetime,
        *,
        in_use: Collection[str] = frozenset(),
        untouchable: Collection[int] = frozenset(),
        keeps_originals: bool = False,
        is_over: Callable[[], bool] = lambda: False,
    ) -> Holdings:
        """Return a device's files and its waiting downloads, each in no certain order.

        Args:
            device_id: Which device.
            now: Downloads that are still in a cooldown do not wait for room.
            in_use: Items that play or come next: their files are not evicted.
            untouchable: Downloads whose files cannot be evicted for another reason.
            keeps_originals: A converted file needs room for its original as well.
            is_over: Called now and then; True ends it.

        Raises:
            errors.Stopped: `is_over` returned True.
        """
        with self._db.read():
            grips = _read_grips(go_through(self._read(GRIPS, device_id), is_over))
            stored = [
                Stored(
                    download_id=download_id,
                    item_id=item_id,
                    size=size or 0,
                    last_used=last_used,
                    eviction_class=grips.take(item_id),
                    is_in_use=item_id in in_use or download_id in untouchable,
                    is_missing=bool(is_missing),
                )
                for download_id, item_id, size, last_used, is_missing in go_through(
                    self._read(STORED, device_id), is_over
                )
            ]
            waiting = self._list_waiting(device_id, now, grips, keeps_originals=keeps_originals)
        return Holdings(tuple(stored), waiting)

    def get_eviction_class(self, device_id: str, item_id: str) -> EvictionClass:
        """Return an item's eviction class on a device."""
        return _read_grips(self._db.sql(GRIPS_OF, (device_id, item_id))).take(item_id)

    def list_visible_to(self, user_id: str, download_ids: Collection[int]) -> frozenset[int]:
        """Return those of these downloads that an account may see: its own, now or before."""
        if not download_ids:
            return frozenset()
        rows = self._db.sql(SEEN_BY, (json.dumps(list(download_ids)), user_id))
        return frozenset(download_id for (download_id,) in rows)

    def read_titles(
        self, download_ids: Collection[int], user_id: str | None = None
    ) -> Mapping[int, tuple[str, str]]:
        """Return item and title of downloads, by their ids; of an account, what it may see."""
        if not download_ids:
            return {}
        # In the order in which they are stored.
        asked = json.dumps(sorted(download_ids))
        if user_id is None:
            rows = self._db.sql(TITLES, (asked,))
        else:
            rows = self._db.sql(TITLES_SEEN_BY, (asked, user_id))
        return {download_id: (item_id, title) for download_id, item_id, title in rows}

    def list_gone(self, download_ids: Collection[int]) -> frozenset[int]:
        """Return those of these downloads that are none any more: they were cancelled."""
        if not download_ids:
            return frozenset()
        rows = self._db.sql(THERE, (json.dumps(sorted(download_ids)),))
        return frozenset(download_ids) - {download_id for (download_id,) in rows}

    def _list_waiting(
        self,
        device_id: str,
        now: datetime,
        grips: _Grips,
        *,
        keeps_originals: bool,
    ) -> tuple[WantedFile, ...]:
        due = DownloadRow.retry_next_at.db_value(now)
        return tuple(
            WantedFile(
                download_id=download_id,
                item_id=item_id,
                size=(likely or 0) + (size or 0) if is_kept else likely,
                held=held,
                priority=priority,
                place=queued_at,
                standing=grips.take(item_id),
                is_own=item_id in grips.own,
                source=_count_beside(target, size, likely, is_kept=is_kept),
            )
            for download_id, item_id, size, name, seconds, held, priority, queued_at in (
                self._read(WAITING, device_id, due)
            )
            for target in (read_any_target(name),)
            for likely in (_estimate_size(target, seconds, size),)
            for is_kept in (target is not None and keeps_originals,)
        )

    def _read(self, sql: str, device_id: str, *values: object) -> Iterable[tuple[Any, ...]]:
        """Return the rows of a device.

        A page that shows all devices reads those of the small ones at once: with many devices
        there would be too many queries, and with large ones too many rows in memory.
        """
        if not self._db.is_looking or self._is_large(device_id):
            return (row[1:] for row in self._db.each(sql, (json.dumps([device_id]), *values)))

        def read_small() -> Mapping[str, list[tuple[Any, ...]]]:
            found: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
            small = [one for one in read_use(self._db) if not self._is_large(one)]
            for row in self._db.sql(sql, (json.dumps(small), *values)):
                found[row[0]].append(row[1:])
            return found

        return self._db.once((sql, *values), read_small).get(device_id, [])

    def _is_large(self, device_id: str) -> bool:
        use = read_use(self._db).get(device_id, DeviceUse())
        return use.files + use.waiting > FEW_FILES

    def list_running(self, device_id: str) -> tuple[Coming, ...]:
        """Return the running downloads of a device."""
        return tuple(
            Coming(download_id, size or 0, held)
            for download_id, size, held in self._db.sql(RUNNING, (device_id,))
        )


@dataclass(frozen=True, slots=True)
class _Grips:
    """How firmly the items of a device are held, and which of them people asked for themselves."""

    standing: dict[str, EvictionClass]
    own: set[str]

    def take(self, item_id: str) -> EvictionClass:
        """Return an item's eviction class, once: a device has one download of it.

        What was taken is freed while the files are read: of each there is as much again.
        """
        return self.standing.pop(item_id, EvictionClass.NOTHING)


def _read_grips(rows: Iterable[tuple[str, str, int]]) -> _Grips:
    grips = _Grips({}, set())
    for item_id, rule, is_ending in rows:
        firm = _classify(rule, is_ending)
        if firm >= grips.standing.get(item_id, EvictionClass.NOTHING):
            grips.standing[item_id] = firm
        if rule == PIN:
            grips.own.add(item_id)
    return grips


@lru_cache(maxsize=256)
def _classify(rule: str, is_ending: int) -> EvictionClass:
    """Return the class of a hold: there are few kinds of them, and very many files."""
    return classify([HoldStrength(rule, is_ending=bool(is_ending))])


def _estimate_size(target: AnyTarget | None, seconds: float | None, size: int | None) -> int | None:
    return target.estimate(seconds=seconds, source_size=size) if target else size


def _count_beside(
    target: AnyTarget | None, size: int | None, likely: int | None, *, is_kept: bool
) -> int | None:
    """Return the bytes beside a file until it is made; None if there are none."""
    if target is None:
        return None
    work_bytes = target.work_bytes(likely or 0)
    if is_kept:
        return work_bytes or None
    return size + work_bytes if size is not None else None
