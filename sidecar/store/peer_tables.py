"""The tables of other devices that Syncthing carries folders to, and of what has arrived there."""

from __future__ import annotations

import peewee

from sidecar.store.fields import MomentField

PEERS = (
    """CREATE TABLE peers (
        device_id TEXT NOT NULL REFERENCES devices (id),
        peer_id TEXT NOT NULL,
        name TEXT NOT NULL,
        is_paused INTEGER NOT NULL CHECK (is_paused IN (0, 1)),
        last_seen INTEGER,
        PRIMARY KEY (device_id, peer_id)
    ) STRICT, WITHOUT ROWID""",
    # Of one file only as long as it is the very one that arrived: `completed_at` names it.
    """CREATE TABLE arrivals (
        download_id INTEGER NOT NULL REFERENCES downloads (id) ON DELETE CASCADE,
        peer_id TEXT NOT NULL,
        completed_at INTEGER NOT NULL,
        known_at INTEGER NOT NULL,
        PRIMARY KEY (download_id, peer_id)
    ) STRICT, WITHOUT ROWID""",
    """CREATE INDEX downloads_by_completion ON downloads (device_id, completed_at)
        WHERE status = 'completed'""",
)


class PeerRow(peewee.Model):
    """Another device that a folder is shared with."""

    device_id = peewee.TextField()
    peer_id = peewee.TextField()
    name = peewee.TextField()
    is_paused = peewee.BooleanField()
    last_seen = MomentField(null=True)

    class Meta:
        """Where it is."""

        table_name = "peers"
        primary_key = peewee.CompositeKey("device_id", "peer_id")


class ArrivalRow(peewee.Model):
    """A file that another device has."""

    download_id = peewee.IntegerField()
    peer_id = peewee.TextField()
    completed_at = MomentField()
    known_at = MomentField()

    class Meta:
        """Where it is."""

        table_name = "arrivals"
        primary_key = peewee.CompositeKey("download_id", "peer_id")
