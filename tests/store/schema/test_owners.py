"""What the triggers keep is what it would be if it were worked out anew."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import peewee
import pytest

from sidecar.domain.downloads.download import Status
from sidecar.store.database import Database
from sidecar.store.devices.devices import Devices
from sidecar.store.schema.kept_tiles import KEPT_TILES
from sidecar.store.schema.migrations import STEPS, migrate
from sidecar.store.schema.owners import OWNERS
from tests.store.examples import ANN, BEN, CARD, STICK

OWNED = """SELECT d.id, h.user_id, d.status, d.device_id FROM downloads AS d
        JOIN holds AS h ON h.device_id = d.device_id AND h.item_id = d.item_id
    UNION
    SELECT d.id, d.user_id, d.status, d.device_id FROM downloads AS d WHERE NOT EXISTS (
        SELECT 1 FROM holds AS h WHERE h.device_id = d.device_id AND h.item_id = d.item_id)"""
OWN_TALLIES = f"""SELECT user_id, status, device_id, id / 256, count(*)
    FROM ({OWNED}) AS every GROUP BY 1, 2, 3, 4"""  # noqa: S608 - ours
TALLIES = """SELECT device_id, status, count(*), coalesce(sum(file_size), 0)
    FROM downloads GROUP BY device_id, status"""
COPIES = """SELECT d.id, CASE WHEN EXISTS (SELECT 1 FROM downloads AS other
        WHERE other.item_id = d.item_id AND other.id <> d.id) THEN 1 ELSE 0 END
    FROM downloads AS d"""
TILES = """SELECT tile, max(id), count(*) FROM downloads
    WHERE status = 'completed' AND missing_since IS NULL GROUP BY tile"""
TILED = """SELECT id, tile FROM downloads
    WHERE status = 'completed' AND missing_since IS NULL"""
OWN_TILES = f"""SELECT owner.user_id, d.tile, max(d.id), count(*) FROM downloads AS d
    JOIN ({OWNED}) AS owner ON owner.id = d.id
    WHERE d.status = 'completed' AND d.missing_since IS NULL GROUP BY owner.user_id, d.tile"""  # noqa: S608 - ours
COPIED = """SELECT id, item_id FROM downloads
    WHERE status = 'completed' AND missing_since IS NULL AND has_copies = 1"""
OWN_COPIES = f"""SELECT d.item_id, owner.user_id, count(*) FROM ({COPIED}) AS d
    JOIN ({OWNED} UNION ALL SELECT id, '', status, device_id FROM downloads) AS owner
    ON owner.id = d.id GROUP BY d.item_id, owner.user_id"""  # noqa: S608 - ours
ROW = """INSERT INTO downloads (item_id, device_id, user_id, status, title, item_type, search_key,
        file_path, path_key, priority, queued_at, format)
    VALUES (?1, ?2, ?3, 'pending', 't', 'Audio', 't', ?1, ?1, 0, 0, 'original')"""
COME = """INSERT INTO downloads (item_id, device_id, user_id, status, title, item_type, search_key,
        file_path, path_key, priority, queued_at, format, album_id, file_size)
    VALUES (?1, ?2, ?3, 'completed', 't', 'Audio', 't', ?1, ?1, 0, 0, 'original', ?4, 7)"""
HOLD = """INSERT INTO holds (user_id, device_id, item_id, rule, source_id, text)
    VALUES (?, ?, ?, ?, 's', '') ON CONFLICT DO NOTHING"""
CHOICES: dict[str, list[object]] = {
    "item": [f"{number:032x}" for number in range(6)],
    "device": [STICK, CARD],
    "person": [ANN, BEN, "c" * 32],
    "state": [str(one) for one in Status],
    "size": [None, 5, 70],
    "rule": ["pin", "favourites"],
    "album": [None, "first", "second"],
    "kind": ["Audio", "Episode", "Movie"],
    "artist": [None, "x" * 9000, "\u5f71" * 3000],
    "since": [None, None, 7],
}
CHANGES = [
    (ROW.replace("INSERT", "INSERT OR IGNORE", 1), "item device person"),
    (HOLD, "person device item rule"),
    (HOLD, "person device item rule"),
    ("DELETE FROM holds WHERE user_id = ? AND item_id = ?", "person item"),
    ("UPDATE OR IGNORE holds SET item_id = ? WHERE item_id = ?", "item item"),
    ("UPDATE OR IGNORE holds SET user_id = ? WHERE user_id = ?", "person person"),
    ("UPDATE downloads SET status = ? WHERE item_id = ?", "state item"),
    ("UPDATE downloads SET status = 'completed' WHERE item_id = ?", "item"),
    ("UPDATE downloads SET missing_since = ? WHERE item_id = ?", "since item"),
    ("UPDATE downloads SET album_id = ? WHERE item_id = ?", "album item"),
    ("UPDATE downloads SET artist = ?, item_type = ? WHERE item_id = ?", "artist kind item"),
    ("UPDATE downloads SET file_size = ? WHERE item_id = ?", "size item"),
    ("UPDATE downloads SET user_id = ? WHERE item_id = ?", "person item"),
    ("UPDATE OR IGNORE downloads SET item_id = ? WHERE item_id = ?", "item item"),
    ("UPDATE OR IGNORE downloads SET device_id = ? WHERE item_id = ?", "device item"),
    ("DELETE FROM downloads WHERE item_id = ? AND device_id = ?", "item device"),
    # Many rows at once, and more than one column: triggers see other rows as they are afterwards.
    ("UPDATE downloads SET status = ? WHERE device_id = ?", "state device"),
    ("UPDATE downloads SET status = 'completed', missing_since = NULL", ""),
    ("UPDATE downloads SET status = ?, missing_since = ?, file_size = ?", "state since size"),
    ("UPDATE downloads SET album_id = ?, artist = ?, status = 'completed'", "album artist"),
    (
        "UPDATE downloads SET album_id = CASE album_id WHEN 'first' THEN 'second' ELSE 'first' END",
        "",
    ),
    (
        "UPDATE downloads SET user_id = ?, status = ?, item_type = ? WHERE device_id = ?",
        "person state kind device",
    ),
    (
        "UPDATE OR IGNORE downloads SET item_id = ?, status = ?, album_id = ? WHERE item_id = ?",
        "item state album item",
    ),
    (
        "UPDATE OR IGNORE downloads SET device_id = ?, user_id = ?, status = ? WHERE device_id = ?",
        "device person state device",
    ),
    ("DELETE FROM holds WHERE device_id = ?", "device"),
    ("DELETE FROM holds", ""),
    ("DELETE FROM downloads WHERE device_id = ?", "device"),
    ("DELETE FROM downloads WHERE item_id > ?", "item"),
    (COME.replace("INSERT", "INSERT OR IGNORE", 1), "item device person album"),
]


def test_random_changes_are_followed_by_all_that_triggers_keep(db: Database) -> None:
    chance = random.Random(7)

    for _ in range(400):
        sql, values = chance.choice(CHANGES)
        given = [chance.choice(CHOICES[one]) for one in values.split()]
        with suppress(peewee.IntegrityError), db.write():
            db.sql(
                sql if db.dialect.skip_locked == "" else sql.replace("UPDATE OR IGNORE", "UPDATE"),
                given,
            )
        check_what_is_kept(db)
    Devices(db).forget(STICK)
    check_what_is_kept(db)
    assert db.sql("SELECT 1 FROM downloads") != []


def check_what_is_kept(db: Database) -> None:
    kept = db.sql("SELECT download_id, user_id, status, device_id FROM owned")
    tallies = db.sql("SELECT * FROM tallies WHERE files <> 0")

    assert sorted(kept) == sorted(db.sql(OWNED))
    assert sorted(db.sql("SELECT * FROM own_tallies")) == sorted(db.sql(OWN_TALLIES))
    assert sorted(tallies) == sorted(db.sql(TALLIES))
    tiled = db.sql("SELECT download_id, tile FROM tiled JOIN tiles ON tiles.id = tile_id")
    assert sorted(db.sql("SELECT tile, newest, files FROM tiles")) == sorted(db.sql(TILES))
    assert sorted(tiled) == sorted(db.sql(TILED))
    theirs = db.sql(
        "SELECT user_id, tile, own.newest, own.files FROM own_tiles AS own"
        " JOIN tiles ON tiles.id = tile_id"
    )
    assert sorted(theirs) == sorted(db.sql(OWN_TILES))
    assert sorted(db.sql("SELECT * FROM copied")) == sorted(db.sql(COPIED))
    assert sorted(db.sql("SELECT * FROM own_copies")) == sorted(db.sql(OWN_COPIES))
    assert sorted(db.sql("SELECT id, has_copies FROM downloads")) == sorted(db.sql(COPIES))


@pytest.mark.parametrize("table", ["owned", "own_tallies", "tallies"])
def test_what_was_there_before_the_triggers_is_counted(tmp_path: Path, table: str) -> None:
    path, before = tmp_path / "some.db", STEPS.index(OWNERS)
    migrate(path, STEPS[:before])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO devices VALUES (?, 'Car stick', '/media/car', 0)", (STICK,))
        for item, user in (("1", ANN), ("2", BEN)):
            connection.execute(ROW, (item, STICK, user))
        connection.execute(HOLD, (BEN, STICK, "1", "pin"))
        connection.commit()

    migrate(path, STEPS)

    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - ours
    expected = {
        "owned": [(BEN, 1, "pending", STICK), (BEN, 2, "pending", STICK)],
        "own_tallies": [(BEN, "pending", STICK, 0, 2)],
        "tallies": [(STICK, "pending", 2, 0)],
    }
    assert found == expected[table]


def test_the_tiles_of_what_was_there_before_are_kept(tmp_path: Path) -> None:
    path, before = tmp_path / "some.db", STEPS.index(KEPT_TILES)
    migrate(path, STEPS[:before])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO devices VALUES (?, 'Car stick', '/media/car', 0)", (STICK,))
        for item in ("1", "2", "3", "4"):
            connection.execute(ROW, (item, STICK, ANN))
        connection.execute("UPDATE downloads SET status = 'completed', album_id = 'a'")
        connection.execute("UPDATE downloads SET missing_since = 1 WHERE item_id = '3'")
        connection.execute("UPDATE downloads SET status = 'failed' WHERE item_id = '4'")
        connection.commit()

    migrate(path, STEPS)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM tiles").fetchall() == [(1, "a", 2, 2)]
        assert connection.execute("SELECT * FROM tiled").fetchall() == [(1, 1), (2, 1)]
        assert connection.execute("SELECT * FROM own_tiles").fetchall() == [(ANN, 1, 2, 2)]
