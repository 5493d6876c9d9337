"""The order of the queue: priority first, then a place that is a counter with gaps.

    place   1048576 ─── 2097152 ─── 3145728          a new one goes a whole gap behind all others
                     ▲
              put in the middle; when a gap is used up, all places are spread anew

It is a counter and no time: clocks are set back, and an album is asked for in one millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.store.database import Database

# Written by hand, to name the index: left to itself, SQLite sorts the whole queue each time.
FIRST_DUE = """(SELECT id FROM downloads INDEXED BY downloads_to_claim
    WHERE status = 'pending'
        AND (retry_next_at IS NULL OR retry_next_at <= ?)
        AND device_id NOT IN (SELECT value FROM json_each(?))
        AND user_id NOT IN (SELECT value FROM json_each(?))
        AND id NOT IN (SELECT value FROM json_each(?))
        AND (item_id, format) NOT IN (SELECT item_id, format FROM downloads
            WHERE status = 'downloading'
                AND (NOT finalizing OR id IN (SELECT value FROM json_each(?))))
        AND (device_id NOT IN (SELECT value FROM json_each(?)) OR EXISTS (
            SELECT 1 FROM holds WHERE holds.device_id = downloads.device_id
                AND holds.item_id = downloads.item_id AND holds.rule = 'pin'))
    ORDER BY priority DESC, place, id
    LIMIT 1)"""

GAP = 1 << 20

FIRST = """SELECT priority, place FROM downloads INDEXED BY downloads_to_claim
    WHERE status = 'pending' AND id <> ? ORDER BY priority DESC, place, id LIMIT 1"""
LAST = """SELECT priority, place FROM downloads INDEXED BY downloads_to_claim
    WHERE status = 'pending' ORDER BY priority, place DESC, id DESC LIMIT 1"""
ONE = "SELECT priority, place FROM downloads WHERE status = 'pending' AND id = ?"
NEXT_ABOVE = """SELECT place FROM downloads INDEXED BY downloads_to_claim
    WHERE status = 'pending' AND id <> ? AND priority = ? AND (place, id) < (?, ?)
    ORDER BY place DESC, id DESC LIMIT 1"""
# Counted over all downloads, so that what is paused or failed finds its old place again.
SPREAD = """UPDATE downloads SET place = spread.place FROM (
    SELECT id, ? * row_number() OVER (ORDER BY place, id) AS place FROM downloads
) AS spread WHERE spread.id = downloads.id"""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the queue: what a row there must say."""

    priority: int
    place: int


def find_last_place(db: Database) -> int:
    """Return a place behind all others; those given the same one are in the order of their ids."""
    rows = db.sql("SELECT seq FROM sqlite_sequence WHERE name = 'downloads'")
    return ((rows[0][0] if rows else 0) + 1) * GAP


def find_first_spot(db: Database, download_id: int) -> Spot:
    """Return a spot before all others that wait."""
    rows = db.sql(FIRST, (download_id,)) or db.sql(ONE, (download_id,))
    priority, place = rows[0] if rows else (0, GAP)
    return Spot(priority, place - GAP)


def find_spot_before(db: Database, download_id: int, other_id: int | None) -> Spot | None:
    """Return a spot right before another one, or behind all; None if that one does not wait."""
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
