"""Tiles of the files that are there, kept by triggers: which there are, and which has each file.

    downloads ── triggers ──▶ tiles    newest file and number of files of each album, series or film
                              tiled    the tile of each file
    tiled, owned ── triggers ──▶ own_tiles    the same as `tiles`, of each person's files

A file is there if it is completed and not missing. Counting tiles anew reads all files; and what
words find is put together by `tiled`, whose rows are a few bytes.
"""

from __future__ import annotations


def _is_there(row: str) -> str:
    return f"{row}.status = 'completed' AND {row}.missing_since IS NULL"


def _tile_of(row: str) -> str:
    return f"CASE WHEN {_is_there(row)} THEN {row}.tile END"


# By that index: along another one that has all in their order, it would go through others' files.
_LEAVES = f"""DELETE FROM tiled WHERE download_id = old.id;
        UPDATE tiles SET files = files - 1, newest = CASE WHEN newest <> old.id THEN newest
                ELSE coalesce((SELECT max(d.id) FROM downloads AS d INDEXED BY downloads_by_tile
                    WHERE d.tile = old.tile AND {_is_there("d")}), 0) END
            WHERE tile = old.tile AND {_is_there("old")};
        DELETE FROM tiles WHERE tile = old.tile AND files = 0;"""  # noqa: S608 - ours
# Not by ON CONFLICT: PostgreSQL has no unique index of long texts. One writes at a time.
_COMES = f"""UPDATE tiles SET files = files + 1, newest = max(newest, new.id)
            WHERE tile = new.tile AND {_is_there("new")};
        INSERT INTO tiles (tile, newest, files) SELECT new.tile, new.id, 1
            WHERE {_is_there("new")} AND NOT EXISTS (SELECT 1 FROM tiles WHERE tile = new.tile);
        INSERT INTO tiled (download_id, tile_id) SELECT new.id, id FROM tiles
            WHERE tile = new.tile AND {_is_there("new")};"""  # noqa: S608 - ours

KEPT_TILES = (
    """CREATE TABLE tiles (
        id INTEGER PRIMARY KEY,
        tile TEXT NOT NULL,
        newest INTEGER NOT NULL,
        files INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE tiled (
        download_id INTEGER PRIMARY KEY,
        tile_id INTEGER NOT NULL
    ) STRICT""",
    f"""INSERT INTO tiles (tile, newest, files) SELECT d.tile, max(d.id), count(*)
        FROM downloads AS d WHERE {_is_there("d")} GROUP BY d.tile""",  # noqa: S608 - ours
    "CREATE INDEX tiles_by_key ON tiles (tile)",
    "CREATE INDEX tiles_by_newest ON tiles (newest)",
    f"""INSERT INTO tiled (download_id, tile_id) SELECT d.id, t.id
        FROM downloads AS d CROSS JOIN tiles AS t ON t.tile = d.tile WHERE {_is_there("d")}""",  # noqa: S608 - ours
    f"""CREATE TRIGGER tiles_made AFTER INSERT ON downloads WHEN {_is_there("new")} BEGIN
        {_COMES}
    END""",
    f"""CREATE TRIGGER tiles_ended AFTER DELETE ON downloads WHEN {_is_there("old")} BEGIN
        {_LEAVES}
    END""",
    f"""CREATE TRIGGER tiles_changed
        AFTER UPDATE OF status, missing_since, album_id, item_type, artist, item_id ON downloads
        WHEN ({_tile_of("old")}) IS NOT ({_tile_of("new")}) BEGIN
        {_LEAVES}
        {_COMES}
    END""",
)

# As `_LEAVES` does for all: that tile's newest file which is still theirs.
_NEWEST = f"""CASE WHEN newest <> old.download_id THEN newest ELSE coalesce((SELECT max(d.id)
                FROM tiles AS t CROSS JOIN downloads AS d INDEXED BY downloads_by_tile
                    ON d.tile = t.tile
                CROSS JOIN owned AS o ON o.download_id = d.id
                    AND o.user_id = own_tiles.user_id AND o.download_id <> old.download_id
                WHERE t.id = own_tiles.tile_id AND {_is_there("d")}), 0) END"""  # noqa: S608 - ours


def _they_have(files: str) -> str:
    """Count files with their owners and tiles, which are selected as `files`."""
    return f"""INSERT INTO own_tiles (user_id, tile_id, newest, files) {files}
            ON CONFLICT (tile_id, user_id) DO UPDATE SET files = own_tiles.files + 1,
                newest = max(own_tiles.newest, excluded.newest);"""


def _they_had(which: str) -> str:
    """Count one file less in these rows."""
    return f"""UPDATE own_tiles SET files = files - 1, newest = {_NEWEST} WHERE {which};
        DELETE FROM own_tiles WHERE {which} AND files <= 0;"""  # noqa: S608 - ours


_TILED_CAME = _they_have("""SELECT user_id, new.tile_id, new.download_id, 1
            FROM owned WHERE download_id = new.download_id""")
_OWNED_CAME = _they_have("""SELECT new.user_id, tile_id, new.download_id, 1
            FROM tiled WHERE download_id = new.download_id""")
_TILED_LEFT = _they_had("""tile_id = old.tile_id
                AND user_id IN (SELECT user_id FROM owned WHERE download_id = old.download_id)""")
_OWNED_LEFT = _they_had("""user_id = old.user_id
                AND tile_id = (SELECT tile_id FROM tiled WHERE download_id = old.download_id)""")
OWN_TILES = (
    """CREATE TABLE own_tiles (
        user_id TEXT NOT NULL,
        tile_id INTEGER NOT NULL,
        newest INTEGER NOT NULL,
        files INTEGER NOT NULL,
        PRIMARY KEY (tile_id, user_id)
    ) STRICT, WITHOUT ROWID""",
    """INSERT INTO own_tiles SELECT o.user_id, t.tile_id, max(o.download_id), count(*)
        FROM tiled AS t CROSS JOIN owned AS o ON o.download_id = t.download_id
        GROUP BY o.user_id, t.tile_id""",
    "CREATE INDEX own_tiles_by_newest ON own_tiles (user_id, newest, files)",
    f"CREATE TRIGGER own_tiles_tiled AFTER INSERT ON tiled BEGIN {_TILED_CAME} END",
    f"CREATE TRIGGER own_tiles_gone AFTER DELETE ON tiled BEGIN {_TILED_LEFT} END",
    f"CREATE TRIGGER own_tiles_made AFTER INSERT ON owned BEGIN {_OWNED_CAME} END",
    f"CREATE TRIGGER own_tiles_ended AFTER DELETE ON owned BEGIN {_OWNED_LEFT} END",
)
