"""The order of the queue: by priority, then by place, which is a counter with gaps.

    place   1048576 ─── 2097152 ─── 3145728          a new one goes a whole gap behind all others
                     ▲
              put in the middle; when a gap is used up, all places are renumbered

It is no time: clocks are set back, and an album is queued within one millisecond.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sidecar.store.database import Database
from sidecar.store.schema.tables import DownloadRow

# The folder of a file, with the last "/".
OURS, OTHERS = (
    f"rtrim({one}.path_key, replace({one}.path_key, '/', ''))" for one in ("downloads", "other")
)
# Sorts behind all other characters.
BEHIND = "\U0010ffff"
# One file of a folder at a time, and the first of those that are due.
ANOTHER_FIRST = f"""SELECT 1 FROM downloads AS other
    WHERE other.device_id = downloads.device_id AND {OTHERS} = {OURS}
        AND other.path_key >= {OURS} AND other.path_key < {OURS} || '{BEHIND}'
        AND (other.status = 'downloading' OR (other.status = 'pending'
            AND other.path_key < downloads.path_key AND other.priority = downloads.priority
            AND (other.retry_next_at IS NULL OR other.retry_next_at <= ?)
            AND other.user_id NOT IN (SELECT value FROM json_each(?))
            AND other.id NOT IN (SELECT CAST(value AS INTEGER) FROM json_each(?))))"""  # noqa: S608 - ours
# SQL text, to name the index: otherwise SQLite sorts the whole queue each time.
MAY_COME = """downloads INDEXED BY downloads_to_claim
    WHERE status = 'pending'
        AND (retry_next_at IS NULL OR retry_next_at <= ?)
        AND device_id NOT IN (SELECT value FROM json_each(?))
        AND user_id NOT IN (SELECT value FROM json_each(?))
        AND id NOT IN (SELECT CAST(value AS INTEGER) FROM json_each(?))
        AND (device_id NOT IN (SELECT value FROM json_each(?)) OR EXISTS (
            SELECT 1 FROM holds WHERE holds.device_id = downloads.device_id
                AND holds.item_id = downloads.item_id AND holds.rule = 'pin'))"""
DUE = f"""SELECT id, device_id, expected_size, has_copies FROM {MAY_COME}
        AND (item_id, format) NOT IN (SELECT item_id, format FROM downloads
            WHERE status = 'downloading'
                AND (finalizing = 0 OR id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))))
        AND (device_id NOT IN (SELECT value FROM json_each(?)) OR NOT EXISTS ({ANOTHER_FIRST}))
    ORDER BY priority DESC, place, id
    LIMIT ? {{skip_locked}}"""  # noqa: S608 - ours

GAP = 1 << 20

FIRST = """SELECT priority, place FROM downloads INDEXED BY downloads_to_claim
    WHERE status = 'pending' AND id <> ? ORDER BY priority DESC, place, id LIMIT 1"""
LAST = """SELECT priority, place FROM downloads INDEXED BY downloads_to_claim
    WHERE status = 'pending' ORDER BY priority, place DESC, id DESC LIMIT 1"""
ONE = "SELECT priority, place FROM downloads WHERE status = 'pending' AND id = ?"
NEXT_ABOVE = """SELECT place FROM downloads INDEXED BY downloads_to_claim
    WHERE status = 'pending' AND id <> ? AND priority = ? AND (place, id) < (?, ?)
    ORDER BY place DESC, id DESC LIMIT 1"""
# Over all downloads, so that paused and failed ones keep their place.
SPREAD = """UPDATE downloads SET place = spread.place FROM (
    SELECT id, ? * row_number() OVER (ORDER BY place, id) AS place FROM downloads
) AS spread WHERE spread.id = downloads.id"""

PLACED = """UPDATE downloads SET place = given.place FROM (
    SELECT CAST(json_extract(value, '$[0]') AS INTEGER) AS id,
        CAST(json_extract(value, '$[1]') AS INTEGER) AS place
    FROM json_each(?)
) AS given WHERE given.id = downloads.id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNow:
    """What of the queue cannot come now, whoever's turn it is.

    Attributes:
        devices, users, downloads: Their ids.
        own_only: Devices that get only what people asked for themselves.
    """

    devices: Collection[str] = ()
    users: Collection[str] = ()
    downloads: Collection[int] = ()
    own_only: Collection[str] = ()

    def values(self, now: datetime) -> tuple[object, ...]:
        """Return the parameters of `MAY_COME`."""
        listed = (self.devices, self.users, self.downloads, self.own_only)
        return (DownloadRow.retry_next_at.db_value(now), *(json.dumps([*one]) for one in listed))


NOTHING = NotNow()


@dataclass(frozen=True, slots=True)
class Spot:
    """A position in the queue: priority and place."""

    priority: int
    place: int


def find_last_place(db: Database) -> int:
    """Return a place behind all others; rows with the same one are ordered by id."""
    ((last_id,),) = db.sql(f"SELECT {db.dialect.last_id('downloads')}")
    return place_behind(last_id or 0)


def place_behind(last_id: int) -> int:
    """Return a place behind all others, from the last id that any download had."""
    return (last_id + 1) * GAP


def set_places(db: Database, places: Mapping[int, int]) -> None:
    """Give downloads these places."""
    db.execute_sql(PLACED, (json.dumps(list(places.items())),))


def find_first_spot(db: Database, download_id: int) -> Spot:
    """Return a spot before all waiting downloads."""
    rows = db.sql(FIRST, (download_id,)) or db.sql(ONE, (download_id,))
    priority, place = rows[0] if rows else (0, GAP)
    return Spot(priority, place - GAP)


def find_spot_before(db: Database, download_id: int, other_id: int | None) -> Spot | None:
    """Return a spot right before another download, or behind all; None if that is not pending."""
    if other_id is None:
        ((priority, place),) = db.sql(LAST) or [(0, 0)]
        return Spot(priority, place + GAP)
    if not db.sql(ONE, (other_id,)):
        return None
    spot = _find_spot_between(db, download_id, other_id)
    if spot is None:
        db.sql(SPREAD, (GAP,))
        spot = _find_spot_between(db, download_id, other_id)
    return spot


def _find_spot_between(db: Database, download_id: int, other_id: int) -> Spot | None:
    ((priority, place),) = db.sql(ONE, (other_id,))
    above = db.sql(NEXT_ABOVE, (download_id, priority, place, other_id))
    if not above:
        return Spot(priority, place - GAP)
    middle = (above[0][0] + place) // 2
    return Spot(priority, middle) if above[0][0] < middle < place else None
