"""The table of what was taken over from players' logs: how it is made, and as peewee sees it."""

from __future__ import annotations

import peewee

from sidecar.store.fields import MomentField

IMPORTED_PLAYS = (
    # What was taken over from players' logs; `count_after` says what Jellyfin is to count once it
    # was told, and is NULL when it was.
    """CREATE TABLE imported_plays (
        id INTEGER PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
        device_id TEXT NOT NULL REFERENCES devices (id),
        item_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        stamp INTEGER NOT NULL,
        heard_s REAL,
        started_at INTEGER NOT NULL,
        ended_at INTEGER NOT NULL,
        seconds_heard REAL NOT NULL CHECK (seconds_heard >= 0),
        count_after INTEGER,
        UNIQUE (device_id, item_id, kind, stamp)
    ) STRICT""",
    """CREATE INDEX imported_plays_begun ON imported_plays (user_id, device_id)
        WHERE count_after IS NOT NULL""",
)


class ImportedPlayRow(peewee.Model):
    """A listening that was taken over from a player's log."""

    id = peewee.AutoField()
    user_id = peewee.TextField()
    device_id = peewee.TextField()
    item_id = peewee.TextField()
    kind = peewee.TextField()
    stamp = peewee.IntegerField()
    heard_s = peewee.FloatField(null=True)
    started_at = MomentField()
    ended_at = MomentField()
    seconds_heard = peewee.FloatField()
    count_after = peewee.IntegerField(null=True)

    class Meta:
        """Where it is."""

        table_name = "imported_plays"
