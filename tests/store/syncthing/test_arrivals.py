from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import Download
from sidecar.domain.syncthing.peers import Missing, Peer
from sidecar.store.database import Database
from sidecar.store.downloads.queue import Downloads
from sidecar.store.syncthing.arrivals import ABSENT, BEFORE, NEWEST, OF_FILES, Arrivals
from tests.fakes.clock import FakeClock
from tests.store.examples import BEGIN, CARD, HASH, STICK, wanted

PHONE, CAR = "PHONE", "CAR"
HOUR = timedelta(hours=1)


@pytest.fixture
def arrivals(db: Database) -> Arrivals:
    arrivals = Arrivals(db)
    arrivals.save_peers(STICK, [Peer(id=PHONE, name="Ann's phone"), Peer(id=CAR, name="Car")])
    return arrivals


def arrived(downloads: Downloads, number: int, device: str = STICK) -> Download:
    downloads.queue.add_all([wanted(number, device=device)])
    (running,) = downloads.queue.claim_together(BEGIN + 10 * HOUR, at_most=1)
    downloads.transitions.mark_arrived(running, size=1000, content_hash=HASH, mime_type=None)
    found = downloads.queries.get(running.id)
    assert found is not None
    return found


def test_what_a_peer_has_is_absent_no_more(
    arrivals: Arrivals, downloads: Downloads, clock: FakeClock
) -> None:
    first = arrived(downloads, 1)
    clock.advance(3600)
    second = arrived(downloads, 2)
    arrived(downloads, 3, CARD)
    absent = arrivals.absent(STICK, PHONE)
    assert [one.download_id for one in absent] == [second.id, first.id]

    arrivals.save(PHONE, [absent[1]], clock.now())

    assert [one.download_id for one in arrivals.absent(STICK, PHONE)] == [second.id]
    assert [one.download_id for one in arrivals.absent(STICK, CAR, most=1)] == [second.id]
    assert arrivals.missing(STICK, CAR, since=BEGIN + HOUR) == [
        Missing(CAR, second.file_path, BEGIN + HOUR)
    ]
    assert arrivals.newest(STICK, [PHONE, CAR]) == {PHONE: BEGIN}
    assert arrivals.before(STICK, BEGIN + HOUR) == {first.id}
    told = [(one.peer, one.known_at) for one in arrivals.of_file(first.id)]
    assert told == [("Ann's phone", BEGIN + HOUR), ("Car", None)]


def test_what_went_counts_for_nothing(
    arrivals: Arrivals, downloads: Downloads, clock: FakeClock
) -> None:
    one = arrived(downloads, 1)
    (sent,) = arrivals.absent(STICK, PHONE)
    arrivals.save(PHONE, [sent], clock.now())
    downloads.transitions.mark_missing(one)

    assert arrivals.newest(STICK, [PHONE]) == {}
    assert arrivals.of_file(one.id) == []
    assert arrivals.absent(STICK, PHONE) == []


def test_peers_are_replaced_as_a_whole(arrivals: Arrivals) -> None:
    arrivals.save_peers(STICK, [Peer(id=CAR, name="New car", is_paused=True, last_seen=BEGIN)])

    assert arrivals.peers(STICK) == [Peer(id=CAR, name="New car", is_paused=True, last_seen=BEGIN)]
    assert arrivals.peers(CARD) == []


@pytest.mark.sqlite
@pytest.mark.parametrize(("sql", "count"), [(ABSENT, 4), (NEWEST, 2), (BEFORE, 2), (OF_FILES, 1)])
def test_no_question_reads_a_whole_table(
    arrivals: Arrivals, db: Database, sql: str, count: int
) -> None:
    steps = [row[3] for row in db.sql(f"EXPLAIN QUERY PLAN {sql}", [0] * count)]

    assert steps
    few = "VIRTUAL TABLE"
    assert not [one for one in steps if one.startswith("SCAN") and few not in one]
