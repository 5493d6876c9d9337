from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import DatabaseError
from sidecar.store.database import Database
from sidecar.store.schema.migrations import STEPS, migrate
from sidecar.store.schema.tables import ROWS
from tests.patience import PATIENCE_S

FIRST = ("CREATE TABLE songs (title TEXT)", "INSERT INTO songs VALUES ('Old')")
SECOND = (
    "ALTER TABLE songs ADD COLUMN year INTEGER",
    "UPDATE songs SET year = 1999",
    "CREATE TABLE albums (title TEXT)",
)


def tables(path: Path) -> tuple[int, dict[str, list[str]]]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        return version, {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for name in names
        }


OLD = (1, {"songs": ["title"]})
NEW = (2, {"songs": ["title", "year"], "albums": ["title"]})


@pytest.mark.sqlite
def test_peewee_and_the_migrations_agree_on_every_column(db: Database) -> None:
    _, found = tables(db.path)

    expected = {
        row._meta.table_name: {field.column_name for field in row._meta.sorted_fields}
        for row in ROWS
    }
    ours = {
        name: set(columns)
        for name, columns in found.items()
        # The search index is SQLite's own, and nothing goes through peewee there.
        if not name.startswith(("sqlite", "offline"))
    }
    assert ours == expected


def test_steps_that_are_missing_are_made_and_the_rest_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    migrate(path, [FIRST])
    assert tables(path) == OLD

    for _ in range(2):
        migrate(path, [FIRST, SECOND])

        assert tables(path) == NEW


def test_a_copy_is_kept_from_before_the_migration(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    migrate(path, [FIRST])

    migrate(path, [FIRST, SECOND])

    assert tables(tmp_path / "some.db.before-2") == OLD


def test_a_first_start_has_nothing_to_copy(tmp_path: Path) -> None:
    migrate(tmp_path / "some.db", STEPS)

    assert [one.name for one in tmp_path.iterdir()] == ["some.db"]


def test_a_step_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    migrate(path, [FIRST])

    with pytest.raises(DatabaseError, match="is as it was"):
        migrate(path, [FIRST, (*SECOND, "INSERT INTO nowhere VALUES (1)")])

    assert tables(path) == OLD


def test_a_step_that_breaks_a_reference_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    broken = (
        "CREATE TABLE a (id INTEGER PRIMARY KEY)",
        "CREATE TABLE b (a_id INTEGER REFERENCES a (id))",
        "INSERT INTO b VALUES (7)",
    )

    with pytest.raises(DatabaseError, match="not there"):
        migrate(path, [broken])


KILLED_AT_EACH_STATEMENT = """
import os, signal, sqlite3, sys
from pathlib import Path
from sidecar.store.schema import migrations

class Dying(sqlite3.Connection):
    left = 0

    def execute(self, *args):
        if not Dying.left:
            os.kill(os.getpid(), signal.SIGKILL)
        Dying.left -= 1
        return super().execute(*args)

connect = sqlite3.connect
sqlite3.connect = lambda *args, **kwargs: connect(*args, factory=Dying, **kwargs)
steps = [eval(one) for one in sys.argv[1:3]]
for count, path in enumerate(sys.argv[3:]):
    pid = os.fork()
    if pid == 0:
        Dying.left = count
        migrations.migrate(Path(path), steps)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@pytest.mark.slow
def test_killed_at_any_statement_the_tables_are_the_old_or_the_new_ones(tmp_path: Path) -> None:
    paths = [tmp_path / str(count) / "some.db" for count in range(30)]
    for path in paths:
        path.parent.mkdir()
        migrate(path, [FIRST])
    ended = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EACH_STATEMENT, repr(FIRST), repr(SECOND), *paths],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )

    codes = [int(line) for line in ended.stdout.split()]
    found = [tables(path) for path in paths]
    assert set(map(repr, found)) == {repr(OLD), repr(NEW)}
    lived = codes.index(os.EX_OK)
    assert lived > len(SECOND)
    assert set(codes[:lived]) == {-signal.SIGKILL}
    assert set(codes[lived:]) == {os.EX_OK}
    assert (found[0], found[lived]) == (OLD, NEW)
    for path in paths[:lived]:
        migrate(path, [FIRST, SECOND])
        assert tables(path) == NEW


def test_files_from_before_the_search_are_found_by_it(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    migrate(path, STEPS[:6])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO devices VALUES ('stick', 'Car stick', '/media/car', 0)")
        for number, status in enumerate(["completed", "pending"], 1):
            connection.execute(
                "INSERT INTO downloads (id, item_id, device_id, user_id, status, title, item_type,"
                " search_key, file_path, path_key, priority, queued_at, format)"
                " VALUES (?1, ?1, 'stick', 'a', ?2, 't', 'Audio', 'tøne', ?1, ?1, 0, 0, 'o')",
                (number, status),
            )
        connection.commit()

    migrate(path, STEPS)

    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT rowid FROM offline WHERE offline MATCH 'ton*'")
        assert found.fetchall() == [(1,)]


def test_a_queue_from_before_the_places_keeps_its_order(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    migrate(path, STEPS[:2])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO devices VALUES ('stick', 'Car stick', '/media/car', 0)")
        for number, queued_at in [(1, 30), (2, 10), (3, 20), (4, 20)]:
            connection.execute(
                "INSERT INTO downloads (id, item_id, device_id, user_id, status, title, item_type,"
                " search_key, file_path, path_key, priority, queued_at, format)"
                " VALUES (?1, ?1, 'stick', 'a', 'pending', 't', 'Audio', 't', ?1, ?1, 0, ?2, 'o')",
                (number, queued_at),
            )
        connection.commit()

    migrate(path, STEPS)

    with closing(sqlite3.connect(path)) as connection:
        places = connection.execute("SELECT id, place FROM downloads ORDER BY place").fetchall()
    assert [number for number, _ in places] == [2, 3, 4, 1]
    assert len({place for _, place in places}) == 4
