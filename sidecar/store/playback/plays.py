"""Plays: one row for each; the same play saved again replaces its row.

Only its listener and the rules that work for them may see it: `services.playback.history`
sees to that.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

import peewee
from peewee import fn

from sidecar.domain.playback.plays import Play
from sidecar.store.database import Database, Row
from sidecar.store.schema.fields import EPOCH, MILLISECOND
from sidecar.store.schema.tables import AccountRow, PlayRow

NAMES = tuple(one.name for one in fields(Play))
NEWEST = 50
KEY = (PlayRow.user_id, PlayRow.session_id, PlayRow.started_at, PlayRow.item_id)
CHANGES = (PlayRow.ended_at, PlayRow.position_s, PlayRow.seconds_heard, PlayRow.counts)
# Written out, not as parameters: SQLite takes a partial index only if it can see its condition.
IN_ALBUM = peewee.SQL('"counts" = 1 AND "album_id" IS NOT NULL')
LAST_HEARD = """SELECT item_id, max(ended_at) FROM plays
    WHERE counts = 1 AND item_id IN (SELECT value FROM json_each(?1))
        AND (CAST(?2 AS TEXT) IS NULL OR user_id = ?2) GROUP BY item_id"""


# Of the listener's own files: what is there for others only is not theirs to know of. The plus
# sign and CROSS: SQLite is not to begin with all that is completed, or all that the listener has.
WAS_THERE = """SELECT 1 FROM downloads AS d CROSS JOIN owned AS o ON o.download_id = d.id
    WHERE d.device_id IN (SELECT id FROM devices) AND d.item_id = ? AND o.user_id = ?
        AND +d.status = 'completed' AND d.missing_since IS NULL AND d.completed_at <= ?
    LIMIT 1"""
IN_PERIODS = """SELECT CAST(key AS INTEGER), count(plays.id), count(was_there),
        coalesce(sum(was_there), 0)
    FROM json_each(?) AS period
    LEFT JOIN plays ON user_id = ? AND counts = 1
        AND started_at >= CAST(json_extract(value, '$[0]') AS INTEGER)
        AND started_at < CAST(json_extract(value, '$[1]') AS INTEGER)
    GROUP BY 1 ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class PlaysInPeriod:
    """The plays that count in a period of time.

    Attributes:
        number: Their number.
        known: Of how many it is known whether the file was on a device before.
        hits: Of how many it was.
    """

    number: int
    known: int
    hits: int


@dataclass(frozen=True, slots=True)
class StoredPlay:
    """A play and its number; later plays have larger ones."""

    id: int
    play: Play


class Plays:
    """Stores plays. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def save(self, play: Play, *, goes_on: bool = False) -> int | None:
        """Remember a play; one of the same user, session, start and item gives way to it.

        Args:
            play: What was heard.
            goes_on: It is not over: not worth waiting for the disk, more will be saved of it.

        Returns:
            Its number, the same for a play that was known; None if the account is gone.
        """
        listener = AccountRow.select(AccountRow.user_id).where(AccountRow.user_id == play.user_id)
        was_there = bool(self._db.sql(WAS_THERE, _asked(play)))
        row = PlayRow.insert(**asdict(play), counts=play.counts, was_there=was_there)
        kept = row.on_conflict(conflict_target=KEY, preserve=CHANGES).returning(PlayRow.id)
        with self._db.write_lazily() if goes_on else self._db.write():
            if self._db.row(listener) is None:
                return None
            number: int = self._db.execute_returning(kept)[0]["id"]
        return number

    def newest(self, user_id: str, most: int) -> list[Play]:
        """Return the newest plays of a user."""
        query = PlayRow.select().where(PlayRow.user_id == user_id).order_by(PlayRow.id.desc())
        return [_play(row) for row in self._db.rows(query.limit(most))]

    def page(self, user_id: str, page: int, page_size: int) -> tuple[list[StoredPlay], int]:
        """Return one page of a user's plays, newest first, and how many there are in all.

        Args:
            user_id: Whose.
            page: From 1; one behind the last is empty.
            page_size: How many a page holds at most.
        """
        theirs = PlayRow.user_id == user_id
        chosen = PlayRow.select().where(theirs).order_by(PlayRow.id.desc())
        with self._db.read():
            rows = self._db.rows(chosen.paginate(page, page_size))
            total: int = self._db.rows(
                PlayRow.select(fn.COUNT(PlayRow.id).alias("n")).where(theirs)
            )[0]["n"]
        return [StoredPlay(row["id"], _play(row)) for row in rows], total

    def in_periods(
        self, user_id: str, periods: Sequence[tuple[datetime, datetime]]
    ) -> list[PlaysInPeriod]:
        """Return how many plays of a user count that began from the one until before the other."""
        times = [[(one - EPOCH) // MILLISECOND for one in period] for period in periods]
        return [
            PlaysInPeriod(number, known, int(hits))
            for _, number, known, hits in self._db.sql(IN_PERIODS, (json.dumps(times), user_id))
        ]

    def list_recent(self, user_id: str, since: datetime) -> list[Play]:
        """Return those of a user's newest plays that ended since then, the last one last."""
        recent = (one for one in self.newest(user_id, NEWEST) if one.ended_at >= since)
        return sorted(recent, key=lambda one: one.ended_at)

    def list_since(self, user_id: str, since: datetime) -> list[Play]:
        """Return a user's plays that began since then, in their order."""
        query = PlayRow.select().where(PlayRow.user_id == user_id, PlayRow.started_at >= since)
        rows = self._db.rows(query.order_by(PlayRow.started_at, PlayRow.id))
        return [_play(row) for row in rows]

    def heard_in_album(self, user_id: str, album_id: str, since: datetime) -> frozenset[str]:
        """Return the tracks of an album of which a play counts that ended since then."""
        query = PlayRow.select(PlayRow.item_id).where(
            IN_ALBUM,
            PlayRow.user_id == user_id,
            PlayRow.album_id == album_id,
            PlayRow.ended_at >= since,
        )
        return frozenset(row["item_id"] for row in self._db.rows(query))

    def albums_heard(self, user_id: str, since: datetime) -> frozenset[str]:
        """Return the albums of which any play counts that ended since then."""
        query = (
            PlayRow.select(PlayRow.album_id)
            .distinct()
            .where(IN_ALBUM, PlayRow.user_id == user_id, PlayRow.ended_at >= since)
        )
        return frozenset(row["album_id"] for row in self._db.rows(query))

    def last_heard(
        self, item_ids: Collection[str], user_id: str | None = None
    ) -> Mapping[str, datetime]:
        """Return when somebody's last play that counts ended; items never heard are not there.

        Args:
            item_ids: Of which items.
            user_id: Whose plays; None for anybody's.
        """
        rows = self._db.sql(LAST_HEARD, [json.dumps(sorted(set(item_ids))), user_id])
        return {item_id: EPOCH + at * MILLISECOND for item_id, at in rows}


def _play(row: Row) -> Play:
    return Play(**{name: row[name] for name in NAMES})


def _asked(play: Play) -> tuple[object, ...]:
    return play.item_id, play.user_id, (play.started_at - EPOCH) // MILLISECOND
