from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import ItemType
from sidecar.domain.processes.roles import read_roles
from sidecar.errors import AlreadyRunning, DatabaseError
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.dialects.postgresql import PostgresqlAddress
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.files.search import FileIndex
from sidecar.store.place import Place, move
from sidecar.store.schema.migrations import STEPS
from sidecar.store.schema.postgresql import bring_on, make_tables
from sidecar.store.schema.steps import LISTS
from sidecar.store.stores import Stores
from tests.fakes.clock import FakeClock
from tests.postgres import Server
from tests.store.examples import wanted
from tests.store.schema.test_upgrades import content, written

SECRET = "s3cret-w0rd"
CUT_ALL = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass(frozen=True)
class House:
    """A file with a row in every table, and an empty database on a server."""

    file: Place
    there: Place
    clock: FakeClock
    columns: dict[str, list[str]]

    @property
    def rows(self) -> dict[str, set[tuple[object, ...]]]:
        return content(self.file.path, self.columns)


@pytest.fixture
def house(tmp_path: Path, postgresql: Server, clock: FakeClock) -> Iterator[House]:
    path = tmp_path / "state" / "sidecar.db"
    path.parent.mkdir()
    columns = written(path, len(STEPS))
    url = postgresql.make("moving")
    yield House(Place(path), Place(path, PostgresqlAddress(url)), clock, columns)
    postgresql.drop("moving")


def numbers(db: Database) -> dict[str, int]:
    with db.read_rows() as found:
        return dict(found.read_numbers())


def test_everything_moves_to_a_server_and_back_and_works_there(
    house: House, tmp_path: Path
) -> None:
    before = house.rows
    back = Place(tmp_path / "back" / "sidecar.db")

    told = move(house.file, house.there, house.clock)

    assert {name: len(rows) for name, rows in before.items() if rows} == {
        name: told[name].rows for name in before if name in told and before[name]
    }
    assert house.rows == before
    with closing(house.file.open(house.clock)) as here:
        numbered, found = numbers(here), titles(here)
    assert found
    with pytest.raises(DatabaseError, match="has rows already"):
        move(house.file, house.there, house.clock)
    with closing(house.there.open(house.clock)) as db:
        assert {name: numbers(db)[name] for name in numbered} == numbered
        assert titles(db) == found
        with pytest.raises(AlreadyRunning):
            move(house.file, house.there, house.clock)

    assert move(house.there, back, house.clock) == told

    assert content(back.path, house.columns) == before
    with closing(back.open(house.clock)) as db:
        assert {name: numbers(db)[name] for name in numbered} == numbered
        assert titles(db) == found
    # A new row is not taken for one that was there, and the triggers follow it.
    for place in (house.there, back):
        with closing(place.open(house.clock)) as db:
            stores = Stores(db, Bus(), house.clock)
            device = stores.devices.all()[0].id
            (added,) = stores.downloads.queue.add_all([wanted(77, device=device)])
            assert added.id == numbered["downloads"] + 1
            pending = stores.downloads.queries.counts(DownloadFilter(device_id=device))
            assert pending[Status.PENDING] == stores.downloads.queries.number(
                Status.PENDING, DownloadFilter()
            )


def titles(db: Database) -> list[str]:
    return [one.title for one in FileIndex(db).page(DownloadFilter(text="t"), 1, 50)[0]]


def test_a_backup_of_a_server_is_a_file_and_goes_back_to_it(house: House, tmp_path: Path) -> None:
    before = house.rows
    move(house.file, house.there, house.clock)
    with closing(house.there.open(house.clock)) as db:
        # While it runs.
        to = tmp_path / "copy.db"
        assert house.there.copy_to(to, with_secrets=False) == len(STEPS)
        daily = db.back_up(house.clock)
        assert content(daily, house.columns) == before
        with pytest.raises(AlreadyRunning), house.there.replacing():
            pass
    kept = content(to, house.columns)
    assert not kept["sessions"]
    assert not kept["api_keys"]
    assert kept["downloads"] == before["downloads"]

    draft = house.file.path.with_name("draft.db")
    draft.write_bytes(to.read_bytes())
    with house.there.replacing():
        aside = house.there.put_back(draft, house.clock.now())

    assert aside is not None
    assert content(aside, house.columns) == before
    again = tmp_path / "again.db"
    house.there.copy_to(again, with_secrets=True)
    assert content(again, house.columns) == kept


def test_a_password_is_shown_to_nobody(
    postgresql: Server, tmp_path: Path, clock: FakeClock
) -> None:
    host = f"host={postgresql.folder}"
    for url in (
        f"postgresql://ann:{SECRET}@/nothing?{host}",
        f"postgresql://ann@/nothing?password={SECRET}&{host}",
        f"postgresql://ann:{SECRET}@127.0.0.1:9/nothing",
    ):
        place = Place(tmp_path / "sidecar.db", PostgresqlAddress(url))
        with pytest.raises(DatabaseError) as caught:
            place.open(clock)
        assert SECRET not in f"{place} {place!r} {caught.value} {place.address}"
        assert "cannot be reached" in str(caught.value)
        assert place.read_page_settings() == {}


def test_what_is_not_ours_or_is_newer_is_refused(
    postgresql: Server, tmp_path: Path, clock: FakeClock
) -> None:
    place = Place(tmp_path / "sidecar.db", PostgresqlAddress(postgresql.make("others")))
    postgresql.run("others", "CREATE TABLE theirs (id int)")
    with pytest.raises(DatabaseError, match="another program"):
        place.open(clock)
    with pytest.raises(DatabaseError, match="not a database of Jellyfin Sidecar"):
        place.open_existing()
    postgresql.run("others", "DROP TABLE theirs")
    place.open(clock).close()
    postgresql.run("others", "UPDATE sidecar_schema SET version = version + 1")
    with pytest.raises(DatabaseError, match="newer Jellyfin Sidecar"):
        place.open(clock)
    postgresql.drop("others")


def test_later_steps_make_what_a_fresh_database_has(postgresql: Server) -> None:
    shapes = []
    for name, made in (("fresh", len(STEPS)), ("older", STEPS.index(LISTS) + 1)):
        with psycopg.connect(postgresql.make(name), autocommit=True) as connection:

            def run(sql: str, connection: psycopg.Connection = connection) -> None:
                connection.execute(sql.encode())

            with connection.transaction():
                make_tables(run, STEPS[:made])
            with connection.transaction():
                bring_on(run, made)
            shapes.append([set(connection.execute(one.encode())) for one in SHAPE])
        postgresql.drop(name)
    for one, other in zip(*shapes, strict=True):
        assert one == other


# Columns, indexes and triggers, whatever their order.
SHAPE = (
    """SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity,
        generation_expression, collation_name FROM information_schema.columns
        WHERE table_schema = current_schema()""",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    """SELECT trigger_name, event_manipulation, event_object_table, action_condition
        FROM information_schema.triggers""",
    "SELECT version::text FROM sidecar_schema",
)


def test_a_server_that_was_started_again_is_used_on(house: House, postgresql: Server) -> None:
    with closing(house.there.open(house.clock)) as db:
        assert db.is_answering()
        postgresql.run("moving", END_OTHERS)

        assert db.is_answering()
        postgresql.run("moving", END_OTHERS)
        with db.write():
            db.sql("INSERT INTO meta VALUES ('a', 'b')")
        with pytest.raises(DatabaseError, match="cannot be reached"):
            write_over_a_restart(db, postgresql)
        assert db.sql("SELECT key FROM meta ORDER BY key") == [("a",)]


def write_over_a_restart(db: Database, postgresql: Server) -> None:
    with db.write():
        db.sql("INSERT INTO meta VALUES ('c', 'd')")
        postgresql.run("moving", END_OTHERS)
        with suppress(DatabaseError):
            db.sql("INSERT INTO meta VALUES ('e', 'f')")
        # Not even then.
        with suppress(DatabaseError), db.write():
            db.sql("INSERT INTO meta VALUES ('g', 'h')")


END_OTHERS = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def test_two_processes_never_write_at_once(house: House) -> None:
    address = house.there.address
    assert address is not None
    with (
        closing(house.there.open(house.clock)) as db,
        closing(
            Database.open_existing_server(address, house.there.path, busy_timeout_s=0.05)
        ) as other,
    ):
        with db.write():
            db.sql("INSERT INTO meta VALUES ('a', 'b')")
            assert other.sql("SELECT count(*) FROM meta") == [(0,)]
            with pytest.raises(DatabaseError, match="held by another"), other.write():
                pass
        with other.write():
            assert other.sql("SELECT count(*) FROM meta") == [(1,)]


def test_titles_may_be_long_and_odd(house: House) -> None:
    move(house.file, house.there, house.clock)
    long = "".join(map(chr, range(0x4E00, 0x4E00 + 4096)))
    odd = replace(wanted(78).item, title=f"Zero\0 {long}", artist=long[::-1], type=ItemType.EPISODE)
    with closing(house.there.open(house.clock)) as db:
        stores = Stores(db, Bus(), house.clock)
        device = stores.devices.all()[0].id
        with db.write():
            added = stores.downloads.queue.add_all([replace(wanted(78, device=device), item=odd)])[
                0
            ]
            db.sql("UPDATE downloads SET status = 'completed' WHERE id = ?", (added.id,))
        asked = DownloadFilter(text="zero", device_id=device)
        assert [one.id for one in stores.offline.page(asked, 1, 9)[0]] == [added.id]
        assert stores.downloads.queries.by_items([(device, "\0")]) == {}
    # What is stored so can be moved on.
    move(house.there, Place(house.file.path.with_name("odd.db")), house.clock)


def test_a_file_that_was_never_there_has_nothing_to_move(tmp_path: Path, clock: FakeClock) -> None:
    back = Place(tmp_path / "back" / "sidecar.db")
    told = move(Place(tmp_path / "new" / "sidecar.db"), back, clock)
    assert not any(one.rows for one in told.values())
    with closing(sqlite3.connect(back.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_processes_with_roles_share_a_database_and_one_of_them_watches(
    house: House, postgresql: Server
) -> None:
    watch, work = read_roles("web,watch"), read_roles("work")
    with closing(house.there.open(house.clock, work)):
        with pytest.raises(AlreadyRunning, match="stop it first"):
            house.there.open(house.clock)
        with closing(house.there.open(house.clock, watch)) as watching:
            with closing(house.there.open(house.clock, work)) as another:
                assert another.is_answering()
            with pytest.raises(AlreadyRunning, match="one of them watches at a time"):
                house.there.open(house.clock, watch)
            assert watching.dialect.is_claimed()
            postgresql.run("moving", CUT_ALL)

            assert not watching.dialect.is_claimed(), "another one may watch by now"
            house.there.open(house.clock, watch).close()
    with closing(house.there.open(house.clock)) as alone:
        with pytest.raises(AlreadyRunning, match="stop it first"):
            house.there.open(house.clock, work)
        assert alone.dialect.is_claimed()
    with pytest.raises(DatabaseError, match="`--role` needs a PostgreSQL database"):
        house.file.open(house.clock, work)
