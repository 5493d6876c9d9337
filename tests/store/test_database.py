from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import AlreadyRunning, DatabaseError
from sidecar.store.database import Database
from sidecar.store.meta import Meta
from tests.fakes.clock import FakeClock
from tests.patience import PATIENCE_S


def pragma(db: Database, name: str) -> object:
    return db.sql(f"PRAGMA {name}")[0][0]


def say(told: list[str], word: str) -> None:
    told.append(word)


@pytest.mark.sqlite
def test_what_is_committed_survives_a_power_cut(db: Database) -> None:
    assert pragma(db, "journal_mode") == "wal"
    assert pragma(db, "synchronous") == 2  # FULL
    assert pragma(db, "foreign_keys") == 1


@pytest.mark.sqlite
def test_each_thread_keeps_little_of_the_file(db: Database) -> None:
    with ThreadPoolExecutor(1) as another, db.thread():
        assert (pragma(db, "cache_size"), another.submit(pragma, db, "cache_size").result()) == (
            -512,
            -512,
        )
        another.submit(db.close_thread).result()


@pytest.mark.sqlite
def test_only_a_lazy_write_does_without_waiting_for_the_disk(db: Database) -> None:
    with db.write_lazily():
        lazy = pragma(db, "synchronous")
    with db.write():
        waited_for = pragma(db, "synchronous")

    assert (lazy, waited_for) == (1, 2)  # NORMAL, FULL


@pytest.mark.sqlite
def test_a_connection_that_is_opened_anew_waits_for_the_disk(db: Database) -> None:
    with db.write_lazily():
        pass
    db.close_thread()

    with db.write():
        assert pragma(db, "synchronous") == 2


@pytest.mark.sqlite
def test_only_the_owner_may_read_the_files(db: Database) -> None:
    files = [one for one in db.path.parent.iterdir() if one.is_file()]

    assert {oct(one.stat().st_mode & 0o777) for one in files} == {"0o600"}
    assert oct(db.path.parent.stat().st_mode & 0o777) == "0o700"


@pytest.mark.sqlite
def test_a_second_sidecar_on_the_same_folder_is_refused(db: Database, clock: FakeClock) -> None:
    with pytest.raises(AlreadyRunning, match="Another Jellyfin Sidecar is running"):
        Database.open(db.path, clock=clock)


def test_the_folder_is_free_again_after_closing(tmp_path: Path, clock: FakeClock) -> None:
    for _ in range(2):
        Database.open(tmp_path / "sidecar.db", clock=clock).close()


def test_the_lock_of_a_killed_sidecar_does_not_last(tmp_path: Path, clock: FakeClock) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from sidecar.clock import SystemClock; from sidecar.store.database import Database\n"
        "db = Database.open(Path(sys.argv[1]), clock=SystemClock())\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "sidecar.db"
    killed = subprocess.run([sys.executable, "-c", script, path], check=False, timeout=PATIENCE_S)
    assert killed.returncode == -signal.SIGKILL

    Database.open(path, clock=clock).close()


@pytest.mark.sqlite
def test_a_visitor_reads_and_writes_beside_the_running_sidecar(db: Database) -> None:
    beside = Database.open_existing(db.path)
    Meta(beside).set("greeting", "hello")
    beside.close()

    assert Meta(db).get("greeting") == "hello"


@pytest.mark.sqlite
def test_a_visitor_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="not a sound database"):
        Database.open_existing(tmp_path / "sidecar.db")

    assert list(tmp_path.iterdir()) == []


def test_a_write_is_all_or_nothing(db: Database) -> None:
    def half() -> None:
        with db.write():
            Meta(db).set("one", "1")
            raise KeyError

    with pytest.raises(KeyError):
        half()

    assert Meta(db).get("one") is None


def test_a_failed_part_takes_only_itself_back(db: Database) -> None:
    told: list[str] = []

    def part() -> None:
        with db.write():
            Meta(db).set("two", "2")
            db.after_commit(lambda: say(told, "two"))
            raise KeyError

    with db.write():
        Meta(db).set("one", "1")
        db.after_commit(lambda: say(told, "one"))
        with pytest.raises(KeyError):
            part()

    assert (Meta(db).get("one"), Meta(db).get("two")) == ("1", None)
    assert told == ["one"]


def test_news_told_after_a_commit_may_write_in_turn(db: Database) -> None:
    with db.write():
        db.after_commit(lambda: Meta(db).set("heard", "yes"))

    assert Meta(db).get("heard") == "yes"


@pytest.mark.sqlite
def test_a_reader_sees_one_state_from_beginning_to_end(db: Database) -> None:
    beside = Database.open_existing(db.path)
    with db.read():
        before = Meta(db).get("one")
        Meta(beside).set("one", "1")
        after = Meta(db).get("one")
    beside.close()

    assert (before, after) == (None, None)
    assert Meta(db).get("one") == "1"


def test_a_write_cannot_begin_inside_a_read(db: Database) -> None:
    with db.read(), pytest.raises(RuntimeError, match="inside a read"):
        Meta(db).set("one", "1")


@pytest.mark.sqlite
def test_a_busy_database_is_waited_for_then_named(tmp_path: Path, clock: FakeClock) -> None:
    db = Database.open(tmp_path / "sidecar.db", clock=clock, busy_timeout_s=0.02)
    with closing(sqlite3.connect(db.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="held by another program"):
            Meta(db).set("one", "1")
        assert Meta(db).get("one") is None
        other.execute("ROLLBACK")

    Meta(db).set("one", "1")

    assert Meta(db).get("one") == "1"
    db.close()


@pytest.mark.sqlite
def test_a_full_disk_stops_writes_not_reads_and_heals(db: Database) -> None:
    Meta(db).set("small", "1")
    pages = pragma(db, "page_count")
    db.dialect.writer.execute_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(DatabaseError, match="disk is full"):
        Meta(db).set("large", "x" * 1_000_000)

    assert Meta(db).get("small") == "1"
    db.dialect.writer.execute_sql("PRAGMA max_page_count = 1000000")
    Meta(db).set("large", "x")
    assert Meta(db).get("large") == "x"


@pytest.mark.sqlite
def test_a_deleted_database_is_not_begun_anew_behind_our_back(db: Database) -> None:
    db.close_thread()
    db.dialect.close()
    for one in db.path.parent.glob("sidecar.db*"):
        one.unlink()

    assert not db.is_answering()
    with pytest.raises(DatabaseError, match="cannot be opened"):
        Meta(db).set("one", "1")
    assert not db.path.exists()


def test_a_sound_database_answers(db: Database) -> None:
    assert db.is_answering()


@pytest.mark.sqlite
def test_all_threads_write_through_one_connection_and_read_through_their_own(
    db: Database,
) -> None:
    def write(number: int) -> tuple[object, bool]:
        Meta(db).set(f"from {number}", "hello")
        return db.dialect.writer.connection(), db.dialect.peewee.is_closed()

    with ThreadPoolExecutor(2) as pool:
        used = set(pool.map(write, range(4)))

    assert used == {(db.dialect.writer.connection(), True)}
    assert Meta(db).get("from 3") == "hello"


def test_every_thread_gives_its_connection_back(db: Database) -> None:
    def visit(number: int) -> None:
        with db.thread():
            Meta(db).set(f"from {number}", "hello")

    def files_open() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = files_open()
    for _ in range(5):
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(visit, range(10)))

    # SQLite itself keeps a few for the next connection; fifty threads would leave a hundred.
    assert files_open() < before + 10


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DatabaseError, match="cannot be used"):
        Database.open(tmp_path / "file" / "sidecar.db", clock=clock)
