"""A database of each earlier version, with something in every table, is brought up to date."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.errors import DatabaseError
from sidecar.events import Bus
from sidecar.store.accounts.accounts import Accounts
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.schema.migrations import COPIES_KEPT, STEPS, copy, list_copies, migrate
from sidecar.store.stores import Stores
from tests.device.mounting import mount_memory, mounts_taken_down, needs_root
from tests.fakes.clock import FakeClock
from tests.store.examples import ANN, BEN, CARD, STICK, item_id

Values = Mapping[str, object]
LAST = len(STEPS)
# The digest of each step that somebody may have run: a step is never edited, another one follows.
RELEASED = (
    "11d145fbaf25d305",
    "9fe55fb2c4264c22",
    "ebf2d1873fe25e26",
    "173632acbd7664e3",
    "10405097c3b5e825",
    "1e53f38bf23943f3",
    "f573e897b3da65ea",
    "4324f35b091a620c",
    "b11d8d47ab9f069f",
    "869a350f0e891ed1",
    "cc5192f805b0f46d",
    "feda4fe3a45cf137",
    "aa787d3eb50fa507",
    "0430fbe2a450ab36",
    "1b6e200840b0ba5a",
    "045604c56be54d01",
    "8b1cc510fced4cb1",
    "d85e483f454356eb",
    "328720139420e95d",
    "87f57f06fd49625d",
    "c08b98a2b1ae8b99",
    "ed172341c3567dbd",
    "eaa27f6f53592b09",
    "236258ad5cea2dc4",
    "fa1215c3b8bc3a88",
    "89904b584963b86b",
    "03714c0aaa3905b1",
    "0c2725b522b5e94c",
    "82d1fc3d1c3cdee0",
    "45eaa7e4bb356546",
    "aa50d3a99d4d9b93",
    "691277e62698e762",
    "54189905055b4a86",
    "b966149be6493298",
    "b2cbd54c1ec53e62",
    "a76474fd4f112fd8",
    "9c29c444695425aa",
    "e5192afc5cef2d22",
    "97becc8e7ae2ce63",
    "a2994d4216de5d47",
    "77e0155bbd3a9bee",
    "01730f6a71b40f14",
    "7734b2dc861ebd04",
    "f5c2a6ce7d5b0ce3",
    "addaadb97706e0d4",
    "46aea34f2e4f0244",
    "ecb3e4cbc3bfa421",
    "2b14732ae51acad0",
    "f0d22b60ea298e81",
    "c52c10296c412858",
)


def download(number: int, status: str, **others: object) -> Values:
    path = f"Björk/Début/{number:02d} - Tóne.flac"
    return {
        "id": number,
        "item_id": item_id(number),
        "device_id": STICK,
        "user_id": ANN,
        "status": status,
        "title": f"Tóne {number}",
        "item_type": "Audio",
        "artist": "Björk",
        "album": "Début",
        "album_id": item_id(900),
        "source_etag": "etag",
        "search_key": f"tóne {number}",
        "file_path": path,
        "path_key": path.casefold(),
        "expected_size": 1000 + number,
        "validator": '{"size": 1000, "last_modified": "Mon, 01 Jan 2024 00:00:00 GMT"}',
        "priority": 0,
        "queued_at": 1_700_000_000_000 + number,
        "place": number << 20,
        "format": "original",
        **others,
    }


DONE = {"file_size": 1003, "completed_at": 1_700_000_009_000, "content_hash": "ab" * 16}
ROWS: Mapping[str, tuple[Values, ...]] = {
    "meta": ({"key": "server_id", "value": "f" * 32},),
    "devices": tuple(
        {"id": one, "name": name, "path": f"/media/{name}", "added_at": 5}
        for one, name in ((STICK, "car"), (CARD, "player"))
    ),
    "accounts": tuple(
        {
            "user_id": one,
            "name": name,
            "name_key": name.casefold(),
            "server_id": "f" * 32,
            "is_admin": int(one == ANN),
            "may_download": 1,
            "jellyfin_device_id": f"sidecar-{name}",
            "token_encrypted": b"sealed",
            "state": "signed-in",
            "signed_in_at": 7,
        }
        for one, name in ((ANN, "Ann"), (BEN, "Ben"))
    ),
    "sessions": (
        {
            "id_hash": b"s" * 32,
            "user_id": ANN,
            "created_at": 1,
            "last_used_at": 2,
            "address_prefix": "192.168.1",
        },
    ),
    "push_subscriptions": ({"session_hash": b"s" * 32, "sealed": b"sealed"},),
    "api_keys": (
        {"id": 3, "key_hash": b"k" * 32, "user_id": BEN, "label": "script", "created_at": 1},
    ),
    "downloads": (
        download(1, "pending"),
        download(2, "downloading", bytes_downloaded=300, started_at=8),
        download(3, "completed", **DONE),
        download(4, "completed", **DONE, item_id=item_id(3), device_id=CARD, user_id=BEN),
        download(5, "failed", error_code="timed-out", retry_count=3, retry_next_at=9),
        download(6, "removed"),
        download(7, "paused", bytes_downloaded=5),
    ),
    "holds": tuple(
        {
            "id": number,
            "user_id": user,
            "device_id": STICK,
            "item_id": item_id(3),
            "rule": rule,
            "source_id": item_id(3),
            "text": "downloaded by you",
        }
        for number, user, rule in ((1, ANN, "pin"), (2, BEN, "favourites"))
    ),
    "hearts": (
        {
            "user_id": ANN,
            "item_id": item_id(3),
            "item_type": "Audio",
            "is_favorite": 1,
            "at_risk": 0,
            "restore": 0,
            "changed_at": 4,
        },
    ),
    "tombstones": ({"user_id": ANN, "device_id": STICK, "item_id": item_id(6), "created_at": 6},),
    "rule_settings": ({"device_id": STICK, "rule": "favourites", "changed": "{}"},),
    "exclusions": (
        {
            "user_id": BEN,
            "device_id": "",
            "rule": "next",
            "item_id": item_id(8),
            "created_at": 6,
        },
    ),
    "chosen_playlists": (
        {"id": 1, "user_id": ANN, "device_id": STICK, "playlist_id": "1" * 32, "title": "Road"},
    ),
    "selections": (
        {"id": "5" * 32, "user_id": ANN, "name": "Jazz", "asked": "{}", "created_at": 3},
    ),
    "selection_devices": ({"selection_id": "5" * 32, "device_id": STICK, "matched": 12},),
    "device_playlists": (
        {
            "device_id": STICK,
            "path": "Playlists/Road.m3u8",
            "list_id": "1" * 32,
            "user_id": ANN,
            "paths": "[]",
        },
    ),
    "taken_playlists": (
        {"id": 1, "user_id": ANN, "device_id": STICK, "path": "Road.m3u8", "told": "{}"},
    ),
    "processes": (
        {"id": "5" * 16, "host": "nas", "lock": "/x", "started_at": 1, "seen_at": 2, "beat": 3},
    ),
    "device_machines": (
        {
            "device_id": STICK,
            "machine": "nas",
            "path": "/media/car",
            "process_id": "5" * 16,
            "told_at": 3,
        },
    ),
    "machines": ({"name": "nas", "since": 1, "heard_at": 2},),
    "orders": (
        {
            "id": 1,
            "device_id": STICK,
            "user_id": ANN,
            "machine": "nas",
            "kind": "eject",
            "given": "[]",
            "what": "eject car",
            "made_at": 3,
            "state": "open",
        },
    ),
    "findings": (
        {
            "kind": "problem",
            "subject": "server jellyfin",
            "process_id": "5" * 16,
            "version": 1,
            "content": "{}",
        },
    ),
    "device_settings": ({"device_id": STICK, "changed": '{"paused": true}'},),
    "rests": ({"device_id": STICK, "item_id": item_id(6), "until": 11},),
    "plays": (
        {
            "id": 1,
            "user_id": ANN,
            "item_id": item_id(3),
            "title": "Tóne 3",
            "album_id": item_id(900),
            "session_id": "s1",
            "started_at": 1,
            "ended_at": 2,
            "position_s": 30.0,
            "seconds_heard": 30.0,
            "counts": 1,
        },
    ),
    "kept_parts": (
        {
            "download_id": 6,
            "device_id": STICK,
            "item_id": item_id(6),
            "validator": '{"size": 1000, "last_modified": null}',
            "bytes_downloaded": 10,
            "kept_at": 3,
        },
    ),
    "peers": ({"device_id": STICK, "peer_id": "P1", "name": "Phone", "is_paused": 0},),
    "arrivals": (
        {"download_id": 3, "peer_id": "P1", "completed_at": DONE["completed_at"], "known_at": 12},
    ),
    "imported_plays": (
        {
            "id": 1,
            "user_id": ANN,
            "device_id": STICK,
            "item_id": item_id(3),
            "kind": "scrobbler",
            "stamp": 1,
            "started_at": 1,
            "ended_at": 2,
            "seconds_heard": 30.0,
        },
    ),
    "browser_plays": (
        {
            "id": 1,
            "user_id": ANN,
            "device_id": f"browser:{ANN}",
            "item_id": item_id(3),
            "kind": "scrobbler",
            "stamp": 1,
            "started_at": 1,
            "ended_at": 2,
            "seconds_heard": 30.0,
        },
    ),
    "player_listeners": ({"device_id": STICK, "user_id": ANN},),
    "player_states": ({"device_id": STICK, "item_id": item_id(3), "position_ms": 5000},),
    "player_imports": ({"id": 1, "user_id": ANN, "device_id": STICK, "made_at": 5},),
    "player_changes": (
        {"id": 1, "import_id": 1, "item_id": item_id(3), "title": "Tóne 3", "change": "{}"},
    ),
    "playlist_orders": ({"user_id": ANN, "playlist_id": "1" * 32, "items": "[]", "is_gone": 0},),
    "beside": ({"download_id": 3, "completed_at": DONE["completed_at"]},),
    "unlike": ({"old_item_id": item_id(1), "new_item_id": item_id(2)},),
    "hidden_items": ({"user_id": ANN, "item_id": item_id(1), "library": "Music", "since": 5},),
    "seen_libraries": ({"user_id": ANN, "rights": "{}", "libraries": "[]"},),
    "choices": ({"user_id": ANN, "name": "download-to", "value": STICK},),
    "activity": (
        {"id": 1, "at": 5, "kind": "came", "device_id": STICK, "title": "Tóne 3", "bytes": 1003},
    ),
    "activity_of": ({"activity_id": 1, "user_id": ANN, "text": "you asked for it"},),
    "space_samples": ({"device_id": STICK, "day": 20_000, "used": 1003},),
    "speed_samples": ({"slot": 5_000_000, "user_id": "", "bytes": 1003},),
    "page_settings": ({"key": "transfer.workers", "value": "3"},),
}
KEPT_BY_TRIGGERS = {
    "owned": ["*"],
    "own_tallies": ["*"],
    "tallies": ["*"],
    "tiles": ["tile, newest, files"],
    "own_tiles": ["user_id, newest, files, (SELECT tile FROM tiles WHERE id = tile_id)"],
    "copied": ["*"],
    "own_copies": ["*"],
    "tiled": ["download_id, (SELECT tile FROM tiles WHERE id = tile_id)"],
    "downloads": ["id, has_copies"],
}


# Of these nothing is kept: what processes told each other goes with them.
ENDED = {"device_reports"}


def tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return [name for (name,) in found if not re.match("sqlite|offline", name) if name not in ENDED]


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def written(path: Path, step: int) -> dict[str, list[str]]:
    """Make a database as of a step, with rows; return its tables and their columns."""
    migrate(path, STEPS[:step])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = 1")
        there = {one: columns(connection, one) for one in tables(connection)}
        for table, rows in ROWS.items():
            for row in rows if table in there else ():
                known = {name: value for name, value in row.items() if name in there[table]}
                names = ", ".join(known)
                marks = ", ".join("?" * len(known))
                connection.execute(
                    f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
                    list(known.values()),
                )
        connection.commit()
    return there


def content(path: Path, of: Mapping[str, list[str]]) -> dict[str, set[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: set(connection.execute(f"SELECT {', '.join(names)} FROM {table}"))  # noqa: S608
            for table, names in of.items()
        }


def test_each_released_table_has_a_row_in_these_tests(tmp_path: Path) -> None:
    there = written(tmp_path / "some.db", len(RELEASED))

    assert {*ROWS, *KEPT_BY_TRIGGERS} == {*there}
    assert all(content(tmp_path / "some.db", there).values())


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that never was of another version."""
    path = tmp_path_factory.mktemp("new") / "new.db"
    written(path, LAST)
    return path


@pytest.mark.parametrize("step", range(1, LAST + 1))
def test_of_each_version_every_row_is_kept_and_works(
    tmp_path: Path, clock: FakeClock, new: Path, step: int
) -> None:
    path = tmp_path / "some.db"
    there = written(path, step)
    before = content(path, there)

    db = Database.open(path, clock=clock)

    try:
        assert content(path, there) == before
        # What triggers keep is what it would be had the rows come today.
        assert content(path, KEPT_BY_TRIGGERS) == content(new, KEPT_BY_TRIGGERS)
        assert db.sql("PRAGMA integrity_check") == [("ok",)]
        assert db.sql("PRAGMA foreign_key_check") == []
        assert db.sql("SELECT rowid FROM offline WHERE offline MATCH 'tone' ORDER BY 1") == [
            (3,),
            (4,),
        ]
        store = Stores(db, Bus(), clock)
        assert [one.name for one in store.accounts.all()] == ["Ann", "Ben"]
        assert sum(store.downloads.queries.counts(DownloadFilter()).values()) == 7
        assert [store.downloads.queries.get(one) is None for one in range(1, 9)] == [
            *[False] * 7,
            True,
        ]
        store.downloads.queue.recover()
        assert store.downloads.queries.counts(DownloadFilter())[Status.PENDING] == 2
    finally:
        db.close()
    copies = [one.name for one in list_copies(path)]
    assert copies == ([f"some.db.before-{step + 1}"] if step < LAST else [])


def test_an_account_with_a_new_id_has_nothing_left_under_the_old_one(
    tmp_path: Path, clock: FakeClock
) -> None:
    path, there = tmp_path / "some.db", written(tmp_path / "some.db", LAST)
    before = content(path, there)
    db = Database.open(path, clock=clock)

    moved = {ANN: "9" * 32, BEN: BEN}
    Accounts(db).move("e" * 32, moved)

    db.close()
    after = content(path, there)
    ended = {"sessions", "push_subscriptions"}
    assert not any(after[table] for table in ended)
    for table in {*there} - ended - {"accounts"}:
        assert after[table] == {
            tuple(moved.get(cell, cell) for cell in row) for row in before[table]
        }, table
    assert content(path, {"accounts": ["user_id", "name", "state"]})["accounts"] == {
        ("9" * 32, "Ann", "signed-out"),
        (BEN, "Ben", "signed-out"),
    }


def test_a_released_step_is_never_edited() -> None:
    found = [hashlib.sha256("\n".join(one).encode()).hexdigest()[:16] for one in STEPS]

    assert tuple(found[: len(RELEASED)]) == RELEASED


def test_only_the_newest_copies_from_before_migrations_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    beside = tmp_path / "some.db.before-holidays"
    beside.write_text("of a person")
    for step in range(1, 7):
        migrate(path, STEPS[:step])

    assert [one.name for one in list_copies(path)] == [f"some.db.before-{one}" for one in (6, 5, 4)]
    assert COPIES_KEPT == 3
    assert beside.exists()


def test_a_copy_from_before_is_the_way_back(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "some.db"
    there = written(path, LAST)
    before = content(path, there)
    newer = (*STEPS, ("CREATE TABLE tomorrow (x)", "DELETE FROM holds"))
    migrate(path, newer)
    assert content(path, there) != before

    with pytest.raises(DatabaseError, match="was written by a newer Jellyfin Sidecar"):
        Database.open(path, clock=clock)
    assert content(path, {"tomorrow": ["x"]}) == {"tomorrow": set()}
    assert content(list_copies(path)[0], there) == before


@needs_root
def test_on_a_full_disk_nothing_is_changed_and_once_there_is_room_it_goes_on(
    tmp_path: Path, clock: FakeClock
) -> None:
    """Whether it is the copy that finds no room, or the update after it."""
    with mounts_taken_down(tmp_path / "disk") as disk:
        mount_memory(disk, options="size=8m")
        path, filling = disk / "some.db", disk / "film"
        there = written(path, LAST - 1)
        before = content(path, there)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            copy(connection, tmp_path / "copy.db")
        whole = (tmp_path / "copy.db").stat().st_size
        for spare, said in (
            (0, "the disk is full"),
            (whole // 2, "the disk is full"),
            # The copy, what SQLite shares among processes, and two pages.
            (whole + 2**15 + 2**13, "could not be brought up to date and is as it was"),
        ):
            filling.write_bytes(b"")
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            filling.write_bytes(bytes(free - spare))
            with pytest.raises(DatabaseError, match=said):
                Database.open(path, clock=clock)
            filling.unlink()
            assert content(path, there) == before

        Database.open(path, clock=clock).close()

        assert content(path, there) == before
        assert [one.name for one in list_copies(path)] == [f"some.db.before-{LAST}"]
        assert not list(disk.glob("*.draft"))
