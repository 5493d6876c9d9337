"""What triggers keep: whose each download is, tallies of devices, and which items have copies.

    holds, downloads ── triggers ──▶ owned        who holds it; who asked for it if nobody does
    owned ───────────── triggers ──▶ own_tallies  each person's files by state and device
    downloads ───────── triggers ──▶ tallies      files and bytes by device and state
    downloads ───────── triggers ──▶ has_copies   whether its item has another download

Lists and counts would work this out anew each time. Nothing else writes there.
"""

from __future__ import annotations

_OF_NEW = "SELECT id FROM downloads WHERE device_id = new.device_id AND item_id = new.item_id"
_OF_OLD = "SELECT id FROM downloads WHERE device_id = old.device_id AND item_id = old.item_id"
_LEAVES = """UPDATE tallies SET files = files - 1, bytes = bytes - coalesce(old.file_size, 0)
            WHERE device_id = old.device_id AND status = old.status;"""
_COMES = """INSERT INTO tallies (device_id, status, files, bytes)
            VALUES (new.device_id, new.status, 1, coalesce(new.file_size, 0))
            ON CONFLICT DO UPDATE
            SET files = files + 1, bytes = bytes + coalesce(new.file_size, 0);"""


def _keep_owned(told: str) -> tuple[str, ...]:
    """Return what fills `owned` and keeps it; `told` is what its rows tell of each download."""
    # How the owners of some downloads are written anew; `{0}` selects their ids.
    holders = f"""INSERT INTO owned SELECT DISTINCT h.user_id, {told} FROM downloads AS d
            CROSS JOIN holds AS h ON h.device_id = d.device_id AND h.item_id = d.item_id
            WHERE d.id IN ({{0}});"""  # noqa: S608 - ours
    asker = f"""INSERT INTO owned SELECT d.user_id, {told} FROM downloads AS d
            WHERE d.id IN ({{0}})
                AND NOT EXISTS (SELECT 1 FROM owned WHERE download_id = d.id);"""  # noqa: S608 - ours
    anew = f"DELETE FROM owned WHERE download_id IN ({{0}}); {holders} {asker}"  # noqa: S608 - ours
    return (
        *(one.format("SELECT id FROM downloads").rstrip(";") for one in (holders, asker)),
        "CREATE INDEX owned_by_user ON owned (user_id, status, download_id)",
        _whenever("owned_hold_made", "INSERT ON holds", anew.format(_OF_NEW)),
        _whenever("owned_hold_ended", "DELETE ON holds", anew.format(_OF_OLD)),
        _whenever(
            "owned_hold_moved",
            "UPDATE OF user_id, device_id, item_id ON holds",
            anew.format(f"{_OF_OLD} UNION {_OF_NEW}"),
        ),
        _whenever("owned_made", "INSERT ON downloads", anew.format("SELECT new.id")),
        _whenever(
            "owned_ended", "DELETE ON downloads", "DELETE FROM owned WHERE download_id = old.id;"
        ),
        _whenever(
            "owned_moved",
            "UPDATE OF user_id, device_id, item_id ON downloads",
            anew.format("SELECT new.id"),
        ),
        _whenever(
            "owned_changed",
            "UPDATE OF status ON downloads WHEN old.status <> new.status",
            "UPDATE owned SET status = new.status WHERE download_id = new.id;",
        ),
    )


def _whenever(name: str, event: str, *statements: str) -> str:
    return f"CREATE TRIGGER {name} AFTER {event} BEGIN\n        {' '.join(statements)}\n    END"


OWNERS = (
    """CREATE TABLE owned (
        user_id TEXT NOT NULL,
        download_id INTEGER NOT NULL,
        status TEXT NOT NULL,
        PRIMARY KEY (download_id, user_id)
    ) STRICT, WITHOUT ROWID""",
    *_keep_owned("d.id, d.status"),
    """CREATE TABLE tallies (
        device_id TEXT NOT NULL,
        status TEXT NOT NULL,
        files INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (device_id, status)
    ) STRICT, WITHOUT ROWID""",
    """INSERT INTO tallies SELECT device_id, status, count(*), coalesce(sum(file_size), 0)
        FROM downloads GROUP BY device_id, status""",
    _whenever("tallies_made", "INSERT ON downloads", _COMES),
    _whenever("tallies_ended", "DELETE ON downloads", _LEAVES),
    _whenever(
        "tallies_changed",
        "UPDATE OF status, device_id, file_size ON downloads"
        " WHEN (old.status, old.device_id, old.file_size) IS NOT"
        " (new.status, new.device_id, new.file_size)",
        _LEAVES,
        _COMES,
    ),
)

# Device by device, so that each download of an item is found by the key that has both.
_MARKED = """UPDATE downloads SET has_copies = 1 - has_copies
            WHERE item_id = {0} AND device_id IN (SELECT id FROM devices) AND has_copies <> (
                SELECT CASE WHEN count(*) > 1 THEN 1 ELSE 0 END FROM devices AS one
                CROSS JOIN downloads AS copy ON copy.device_id = one.id AND copy.item_id = {0});"""
COPIES = (
    """ALTER TABLE downloads ADD COLUMN has_copies INTEGER NOT NULL DEFAULT 0
        CHECK (has_copies IN (0, 1))""",
    """UPDATE downloads SET has_copies = 1 WHERE item_id IN (
        SELECT item_id FROM downloads GROUP BY item_id HAVING count(*) > 1)""",
    _whenever("copies_made", "INSERT ON downloads", _MARKED.format("new.item_id")),
    _whenever("copies_ended", "DELETE ON downloads", _MARKED.format("old.item_id")),
    _whenever(
        "copies_moved",
        "UPDATE OF item_id ON downloads WHEN old.item_id <> new.item_id",
        _MARKED.format("old.item_id"),
        _MARKED.format("new.item_id"),
    ),
    """CREATE INDEX downloads_with_copies ON downloads
        (item_id, status, missing_since, device_id, item_type, has_copies)
        WHERE has_copies = 1""",
    # What lists are sorted by also tells what has copies: nothing is read in vain.
    "DROP INDEX downloads_by_status",
    """CREATE INDEX downloads_by_status ON downloads
        (status, id, device_id, item_id, user_id, missing_since, has_copies)""",
    "DROP INDEX downloads_by_title",
    """CREATE INDEX downloads_by_title ON downloads
        (status, search_key, id, item_type, device_id, missing_since, has_copies)""",
    "DROP INDEX downloads_by_size",
    """CREATE INDEX downloads_by_size ON downloads
        (status, coalesce(file_size, expected_size, 0) DESC, id, missing_since, has_copies)""",
    "DROP INDEX downloads_in_turn",
    """CREATE INDEX downloads_in_turn ON downloads (CASE
            WHEN status IN ('downloading', 'paused', 'pending') THEN 0 ELSE 1 END,
            priority DESC, place, id, has_copies)
        WHERE status IN ('downloading', 'paused', 'pending')""",
)
WORDS_OF_COPIES = (
    # What has the words of a list also tells of which items it has copies.
    "DROP INDEX downloads_by_title",
    """CREATE INDEX downloads_by_title ON downloads
        (status, search_key, id, item_type, device_id, missing_since, has_copies, item_id)""",
)

_OF_OWNER = """user_id = old.user_id AND status = old.status AND device_id = old.device_id
                AND part = old.download_id / 256"""
_LEAVES_OWNER = f"""UPDATE own_tallies SET files = files - 1 WHERE {_OF_OWNER};
        DELETE FROM own_tallies WHERE {_OF_OWNER} AND files <= 0;"""  # noqa: S608 - ours
_COMES_TO_OWNER = """INSERT INTO own_tallies (user_id, status, device_id, part, files)
            VALUES (new.user_id, new.status, new.device_id, new.download_id / 256, 1)
            ON CONFLICT (user_id, status, device_id, part)
            DO UPDATE SET files = own_tallies.files + 1;"""
OWN_TALLIES = (
    # Made anew, with the device. Its rows are elsewhere, so that its key is short: that is what
    # tells whether a download is somebody's.
    *(
        f"DROP TRIGGER owned_{name}"
        for name in ("hold_made", "hold_ended", "hold_moved", "made", "ended", "moved", "changed")
    ),
    "DROP TABLE owned",
    """CREATE TABLE owned (
        user_id TEXT NOT NULL,
        download_id INTEGER NOT NULL,
        status TEXT NOT NULL,
        device_id TEXT NOT NULL,
        PRIMARY KEY (download_id, user_id)
    ) STRICT""",
    *_keep_owned("d.id, d.status, d.device_id"),
    # In parts of 256 downloads: where one transaction changes a row again and again, PostgreSQL
    # passes over all that it has been each time.
    """CREATE TABLE own_tallies (
        user_id TEXT NOT NULL,
        status TEXT NOT NULL,
        device_id TEXT NOT NULL,
        part INTEGER NOT NULL,
        files INTEGER NOT NULL,
        PRIMARY KEY (user_id, status, device_id, part)
    ) STRICT, WITHOUT ROWID""",
    """INSERT INTO own_tallies SELECT user_id, status, device_id, download_id / 256, count(*)
        FROM owned GROUP BY 1, 2, 3, 4""",
    _whenever("own_tallies_made", "INSERT ON owned", _COMES_TO_OWNER),
    _whenever("own_tallies_ended", "DELETE ON owned", _LEAVES_OWNER),
    _whenever("own_tallies_changed", "UPDATE ON owned", _LEAVES_OWNER, _COMES_TO_OWNER),
)
