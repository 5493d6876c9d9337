from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from sidecar.store.accounts.accounts import Accounts
from sidecar.store.accounts.sessions import Session, Sessions, derive_csrf_token
from sidecar.store.database import Database
from tests.fakes.clock import FakeClock
from tests.store.accounts.test_accounts import ANNS, BENS
from tests.store.examples import ANN, BEN

DAY_S = 24 * 3600


@pytest.fixture
def sessions(db: Database, clock: FakeClock) -> Sessions:
    Accounts(db).save(ANNS)
    Accounts(db).save(BENS)
    return Sessions(db, clock)


def test_a_session_is_found_by_its_secret_alone(sessions: Sessions, clock: FakeClock) -> None:
    secret = sessions.begin(ANN, address_prefix="10.0.0.0/24", user_agent="curl")

    now = clock.now()
    assert sessions.find(secret) == Session(ANN, now, now, "10.0.0.0/24", "curl")
    assert sessions.find(secret + "x") is None
    assert sessions.find("") is None


@pytest.mark.sqlite
def test_the_secret_is_in_no_file(db: Database, sessions: Sessions) -> None:
    secret = sessions.begin(ANN, address_prefix="")

    for file in db.path.parent.glob("sidecar.db*"):
        assert secret.encode() not in file.read_bytes()
    with closing(sqlite3.connect(db.path)) as connection:
        assert len(connection.execute("SELECT id_hash FROM sessions").fetchone()[0]) == 32


def test_a_session_ends_after_a_week_of_silence(sessions: Sessions, clock: FakeClock) -> None:
    secret = sessions.begin(ANN, address_prefix="")
    clock.advance(7 * DAY_S - 1)
    assert sessions.find(secret) is not None
    clock.advance(7 * DAY_S - 1)
    assert sessions.find(secret) is not None

    clock.advance(7 * DAY_S)

    assert sessions.find(secret) is None


def test_a_session_ends_after_thirty_days_however_busy(
    sessions: Sessions, clock: FakeClock
) -> None:
    secret = sessions.begin(ANN, address_prefix="")
    for _ in range(29):
        clock.advance(DAY_S)
        assert sessions.find(secret) is not None

    clock.advance(DAY_S)

    assert sessions.find(secret) is None


def test_a_clock_that_goes_back_ends_nothing(sessions: Sessions, clock: FakeClock) -> None:
    secret = sessions.begin(ANN, address_prefix="")
    clock.advance(-3 * DAY_S)

    assert sessions.find(secret) is not None


def test_after_a_clock_that_went_back_a_session_lasts_no_longer_than_others(
    sessions: Sessions, clock: FakeClock
) -> None:
    busy, idle = (sessions.begin(ANN, address_prefix="") for _ in range(2))
    clock.advance(-6 * DAY_S)
    assert sessions.find(busy) is not None
    for _ in range(5):
        clock.advance(5 * DAY_S)
        assert sessions.find(busy) is not None

    assert sessions.find(idle) is None
    clock.advance(5 * DAY_S)
    assert sessions.find(busy) is None


def test_a_session_of_a_far_future_is_none(
    db: Database, sessions: Sessions, clock: FakeClock
) -> None:
    clock.advance(400 * DAY_S)
    secret = sessions.begin(ANN, address_prefix="")
    clock.advance(-400 * DAY_S)

    assert sessions.find(secret) is None
    assert sessions.live() == []
    sessions.begin(BEN, address_prefix="")
    assert db.sql("SELECT count(*) FROM sessions") == [(1,)]


def test_signing_out_ends_one_session_or_all_of_a_person(sessions: Sessions) -> None:
    first, second, third = (sessions.begin(ANN, address_prefix="") for _ in range(3))
    bens = sessions.begin(BEN, address_prefix="")

    sessions.end(first)
    assert sessions.find(first) is None
    assert sessions.find(second) is not None

    assert sessions.end_all(ANN) == 2
    assert sessions.find(third) is None
    assert sessions.find(bens) is not None


def test_ended_sessions_are_swept_away(db: Database, sessions: Sessions, clock: FakeClock) -> None:
    for _ in range(3):
        sessions.begin(ANN, address_prefix="")
    clock.advance(8 * DAY_S)

    sessions.begin(ANN, address_prefix="")

    assert db.sql("SELECT count(*) FROM sessions") == [(1,)]


def test_the_csrf_token_belongs_to_the_session_and_does_not_give_it_away() -> None:
    assert derive_csrf_token("one") == derive_csrf_token("one")
    assert derive_csrf_token("one") != derive_csrf_token("two")
    assert "one" not in derive_csrf_token("one")


@pytest.mark.sqlite
def test_a_full_disk_signs_nobody_out(db: Database, sessions: Sessions, clock: FakeClock) -> None:
    secret = sessions.begin(ANN, address_prefix="")
    clock.advance(DAY_S)
    db.dialect.writer.execute_sql("PRAGMA query_only = 1")

    assert sessions.find(secret) is not None

    db.dialect.writer.execute_sql("PRAGMA query_only = 0")
