from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import DatabaseError
from sidecar.store.database import Database
from sidecar.store.meta import Meta
from sidecar.store.page_settings import PageSettings, read_page_settings
from sidecar.store.schema.recovery import is_as_left, sentinel_path
from tests.fakes.clock import FakeClock

DAY_S = 24 * 3600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sidecar.db"


def used(path: Path, clock: FakeClock, word: str = "kept", *, copied: bool = False) -> None:
    """Leave a database behind that somebody worked with."""
    db = Database.open(path, clock=clock)
    with db.write():
        Meta(db).set("word", word)
        for number in range(200):
            Meta(db).set(f"filler {number}", "x" * 1000)
    if copied:
        db.back_up(clock)
    db.close()


def word(path: Path, clock: FakeClock) -> tuple[str | None, str | None]:
    db = Database.open(path, clock=clock)
    found = Meta(db).get("word")
    note = db.recovery
    db.close()
    return found, note


def truncate(path: Path) -> None:
    path.write_bytes(b"")


def delete(path: Path) -> None:
    path.unlink()


def destroy_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 100)


def cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def damage_pages(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 20_000)
    # A moment ago a sidecar ended: as time of the file system that may be the same moment.
    set_changed(path, path.stat().st_mtime_ns + 1)


def set_changed(path: Path, at_ns: int) -> None:
    os.utime(path, ns=(at_ns, at_ns))


def damage_pages_silently(path: Path) -> None:
    """As a disk does that loses what it holds: the file was not changed."""
    changed = path.stat().st_mtime_ns
    damage_pages(path)
    set_changed(path, changed)


DAMAGES = [truncate, delete, destroy_header, cut_short, damage_pages]
Damage = Callable[[Path], None]


def test_a_first_start_and_the_next_one_have_nothing_to_say(path: Path, clock: FakeClock) -> None:
    assert word(path, clock) == (None, None)
    assert word(path, clock) == (None, None)


def test_a_start_that_died_before_the_first_table_is_a_first_start(
    path: Path, clock: FakeClock
) -> None:
    path.parent.mkdir()
    path.touch()

    assert word(path, clock) == (None, None)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_lost_database_is_replaced_by_the_daily_copy_and_told(
    path: Path, clock: FakeClock, damage: Damage
) -> None:
    used(path, clock, copied=True)
    damage(path)

    found, note = word(path, clock)

    assert found == "kept"
    assert note is not None
    assert "the copy sidecar-2026-11-01.db took its place" in note
    assert word(path, clock) == ("kept", None)


@pytest.mark.parametrize("damage", DAMAGES)
def test_without_a_copy_it_begins_empty_and_says_so(
    path: Path, clock: FakeClock, damage: Damage
) -> None:
    used(path, clock)
    damage(path)

    found, note = word(path, clock)

    assert found is None
    assert note is not None
    assert "begins empty: sign in again" in note
    assert word(path, clock) == (None, None)


def test_the_damaged_file_is_kept_however_often_it_happens(path: Path, clock: FakeClock) -> None:
    for _ in range(3):
        used(path, clock)
        destroy_header(path)
        word(path, clock)

    assert len(list(path.parent.glob("sidecar.db.damaged-2026-11-01T12-00-00*"))) == 3


def test_a_damaged_copy_is_passed_over_for_an_older_one(path: Path, clock: FakeClock) -> None:
    used(path, clock, "older", copied=True)
    clock.advance(DAY_S)
    used(path, clock, "newer", copied=True)
    destroy_header(path.parent / "backups" / "sidecar-2026-11-02.db")
    truncate(path)

    assert word(path, clock)[0] == "older"


def test_what_a_lost_database_left_in_its_log_is_not_mixed_into_the_copy(
    path: Path, clock: FakeClock
) -> None:
    used(path, clock, copied=True)
    truncate(path)
    Path(f"{path}-wal").write_bytes(b"from another life")

    assert word(path, clock)[0] == "kept"
    assert [one.read_bytes() for one in path.parent.glob("*damaged*-wal")] == [b"from another life"]


def test_daily_copies_are_the_newest_three_and_private(path: Path, clock: FakeClock) -> None:
    for _ in range(5):
        used(path, clock, copied=True)
        clock.advance(DAY_S)

    copies = sorted((path.parent / "backups").iterdir())
    assert [one.name for one in copies] == [f"sidecar-2026-11-0{day}.db" for day in (3, 4, 5)]
    assert {oct(one.stat().st_mode & 0o777) for one in copies} == {"0o600"}


def test_a_second_copy_on_the_same_day_replaces_the_first(path: Path, clock: FakeClock) -> None:
    used(path, clock, "morning", copied=True)
    used(path, clock, "evening", copied=True)
    truncate(path)

    assert word(path, clock)[0] == "evening"


def test_a_file_that_is_as_it_was_left_is_looked_at_after_the_start_and_a_copy_put_in_its_place(
    path: Path, clock: FakeClock
) -> None:
    used(path, clock, copied=True)
    damage_pages_silently(path)

    db = Database.open(path, clock=clock)
    assert db.recovery is None
    assert not db.is_sound()
    db.close()

    found, note = word(path, clock)
    assert found == "kept"
    assert "the copy sidecar-2026-11-01.db took its place" in (note or "")


def test_who_ended_before_looking_at_the_whole_file_leaves_that_to_the_next_start(
    path: Path, clock: FakeClock
) -> None:
    used(path, clock, copied=True)
    damage_pages_silently(path)
    Database.open(path, clock=clock).close()

    assert "took its place" in (word(path, clock)[1] or "")


def test_a_sound_file_is_looked_at_once_for_each_start(path: Path, clock: FakeClock) -> None:
    used(path, clock)

    for _ in range(3):
        db = Database.open(path, clock=clock)
        assert db.is_sound()
        db.close()
        assert is_as_left(path)


def test_the_page_settings_are_read_before_a_start_and_nothing_is_changed(
    path: Path, clock: FakeClock
) -> None:
    db = Database.open(path, clock=clock)
    assert db.is_sound()
    PageSettings(db).save({"log.level": "DEBUG"})
    assert read_page_settings(path) == {"log.level": "DEBUG"}  # still in the log
    db.close()
    before = contents(path.parent)

    assert read_page_settings(path) == {"log.level": "DEBUG"}

    assert contents(path.parent) == before
    assert is_as_left(path)


def test_a_file_behind_a_link_is_read_with_its_log(path: Path, clock: FakeClock) -> None:
    used(path, clock)
    file = path.parent.parent / "music.db"
    path.rename(file)
    path.symlink_to(file)
    db = Database.open(path, clock=clock)

    PageSettings(db).save({"log.level": "DEBUG"})

    assert read_page_settings(path) == {"log.level": "DEBUG"}
    with closing(sqlite3.connect(file)) as other:
        other.execute("SELECT * FROM meta").fetchone()
        assert db.is_sound()
        db.close()
        assert not is_as_left(path)  # in use by the other one


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_file_that_somebody_may_have_changed_is_looked_at_before_the_start(
    path: Path, clock: FakeClock, *, is_killed: bool
) -> None:
    used(path, clock)
    db = Database.open(path, clock=clock)
    assert not is_as_left(path)  # in use
    db.close()
    assert not is_as_left(path)  # that one had not looked at it all
    used(path, clock)
    assert is_as_left(path)

    if is_killed:
        Path(f"{path}-wal").touch()
    else:
        set_changed(path, 1)

    assert not is_as_left(path)


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.suffix != ".lock"}


def test_a_newer_sidecars_database_is_refused_and_not_touched(path: Path, clock: FakeClock) -> None:
    used(path, clock)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = contents(path.parent)

    with pytest.raises(DatabaseError, match="written by a newer Jellyfin Sidecar"):
        Database.open(path, clock=clock)

    assert contents(path.parent) == before


def test_another_programs_database_is_refused_and_not_touched(path: Path, clock: FakeClock) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = contents(path.parent)

    with pytest.raises(DatabaseError, match="database of another program"):
        Database.open(path, clock=clock)

    assert contents(path.parent) == before


def test_a_folder_in_its_place_is_refused(path: Path, clock: FakeClock) -> None:
    path.mkdir(parents=True)

    with pytest.raises(DatabaseError, match=str(path)):
        Database.open(path, clock=clock)


def test_a_refused_start_leaves_the_folder_free(path: Path, clock: FakeClock) -> None:
    path.mkdir(parents=True)
    with pytest.raises(DatabaseError):
        Database.open(path, clock=clock)
    path.rmdir()

    assert word(path, clock) == (None, None)


def test_an_older_database_without_a_sentinel_gets_one(path: Path, clock: FakeClock) -> None:
    used(path, clock)
    sentinel_path(path).unlink()

    assert word(path, clock) == ("kept", None)

    assert sentinel_path(path).exists()
