"""The whole history of plays, for a replay, with what is known of its items."""

from __future__ import annotations

from collections.abc import Iterator

from sidecar.domain.replay.history import PastItem, PastPlay
from sidecar.store.database import Database
from sidecar.store.schema.fields import EPOCH, MILLISECOND

PLAYS = """SELECT started_at, user_id, item_id, seconds_heard FROM plays
    WHERE ?1 IS NULL OR user_id = ?1 ORDER BY started_at, id"""
# Of a converted file the size on the device counts: that is what a device takes for it.
ITEMS = """SELECT item_id, max(title), max(artist), max(album), max(album_id),
        max(coalesce(size, 0)), max(coalesce(length, 0))
    FROM (SELECT item_id, title, artist, NULL AS album, album_id, NULL AS size, run_time AS length
            FROM plays WHERE ?1 IS NULL OR user_id = ?1
        UNION ALL SELECT item_id, title, artist, album, album_id,
            coalesce(file_size, expected_size), NULL FROM downloads
            WHERE ?1 IS NULL OR item_id IN (SELECT item_id FROM holds WHERE user_id = ?1)) AS every
    GROUP BY item_id"""


class PastPlays:
    """Reads the plays of one account, or of all: for the command line and for admins."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def plays(self, user_id: str | None = None) -> Iterator[PastPlay]:
        """Yield the plays of an account, of all if none is named, in UTC."""
        for began, user, item_id, seconds in self._db.sql(PLAYS, (user_id,)):
            moment = EPOCH + began * MILLISECOND
            yield PastPlay(moment, user, item_id, seconds)

    def items(self, user_id: str | None = None) -> Iterator[PastItem]:
        """Yield what is known of the items that an account, or anybody, played or downloaded."""
        found = self._db.sql(ITEMS, (user_id,))
        for item_id, title, artist, album, album_id, size, length in found:
            yield PastItem(
                id=item_id,
                title=title or "",
                artist=artist,
                album=album,
                album_id=album_id,
                size=size,
                length=length,
            )
