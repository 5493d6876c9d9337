from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import Move, Validator
from sidecar.domain.wishes import EvictionClass, Reason, Wish
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.downloads import inventory
from sidecar.store.downloads.inventory import Coming, Holdings, Inventory
from sidecar.store.downloads.order import NotNow
from sidecar.store.downloads.queue import Downloads
from sidecar.store.rules.cooldowns import EvictionCooldowns
from sidecar.store.rules.holds import Holds
from tests.fakes.clock import FakeClock
from tests.statements import hook
from tests.store.examples import ANN, BEGIN, BEN, CARD, HASH, STICK, TIMED_OUT, track, wanted

PHONE = "0c7e2f52-6a1b-4b63-9d6a-7d1f0e5a4c33"


def arrived(downloads: Downloads, number: int, *, device: str = STICK, user: str = ANN) -> int:
    downloads.queue.add_all([wanted(number, device=device, user=user)])
    (running,) = downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.mark_arrived(
        running, size=900 + number, content_hash=HASH, mime_type=None
    )
    return running.id


def test_it_shows_what_is_there_what_waits_and_what_comes(
    db: Database, bus: Bus, downloads: Downloads, clock: FakeClock
) -> None:
    holds = Holds(db, bus)
    there, also = arrived(downloads, 1), arrived(downloads, 2)
    arrived(downloads, 3, device=CARD)
    coming = downloads.queue.add_all([wanted(4, priority=9)])[0]
    downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.transfer_started(coming.id, Validator(None, 5000), 64)
    waiting = downloads.queue.add_all([wanted(5, priority=7)])[0]
    later = downloads.queue.add_all([wanted(6)])[0]
    (failed,) = downloads.queue.claim_together(BEGIN, NotNow(downloads=[waiting.id]), at_most=1)
    downloads.transitions.postpone(
        failed, until=clock.now() + timedelta(seconds=5), failure=TIMED_OUT, retry_count=1
    )
    holds.keep(Wish(ANN, STICK, track(1), Reason("queue_ahead", "q", "")))
    holds.keep(Wish(BEN, STICK, track(1), Reason("album_affinity", "a", "")))
    holds.keep(Wish(ANN, CARD, track(2), Reason("pin", "2", "")))
    holds.keep(Wish(ANN, STICK, track(5), Reason("pin", "5", "")))

    found = Inventory(db).list_holdings(
        STICK, clock.now(), in_use={track(2).id}, untouchable={there}
    )

    assert {(one.download_id, one.size, one.eviction_class) for one in found.stored} == {
        (there, 901, EvictionClass.AFFINITY),
        (also, 902, EvictionClass.NOTHING),
    }
    assert [one.is_in_use for one in found.stored] == [True, True]
    assert Inventory(db).list_running(STICK) == (Coming(coming.id, 5000, 64),)
    (one,) = found.waiting
    assert (one.download_id, one.size, one.priority) == (waiting.id, 1000, 7)
    assert (one.standing, one.is_own) == (EvictionClass.LASTING, True)
    soon = Inventory(db).list_holdings(STICK, clock.now() + timedelta(seconds=5))
    assert {one.download_id for one in soon.waiting} == {waiting.id, later.id}


def test_a_hold_that_ends_lasts_no_more(db: Database, bus: Bus, clock: FakeClock) -> None:
    holds, look = Holds(db, bus), Inventory(db)
    holds.keep(Wish(ANN, STICK, track(1), Reason("favourites", "1", "")))
    before = look.get_eviction_class(STICK, track(1).id)

    holds.release(user_id=ANN, at=clock.now() + timedelta(days=1))

    assert (before, look.get_eviction_class(STICK, track(1).id)) == (
        EvictionClass.LASTING,
        EvictionClass.PASSING,
    )
    assert look.get_eviction_class(CARD, track(1).id) is EvictionClass.NOTHING


def test_a_person_sees_what_they_hold_or_asked_for_when_nobody_holds_it(
    db: Database, bus: Bus, downloads: Downloads
) -> None:
    first, second = arrived(downloads, 1), arrived(downloads, 2)
    third = arrived(downloads, 3, user=BEN)
    Holds(db, bus).keep(Wish(BEN, STICK, track(2), Reason("pin", "2", "")))
    look = Inventory(db)

    assert look.list_visible_to(ANN, [first, second, third]) == {first}
    assert look.list_visible_to(BEN, [first, second, third]) == {second, third}
    assert look.list_visible_to(BEN, [first, 99]) == frozenset()
    assert look.read_titles([first, second, 99], BEN) == {second: (track(2).id, track(2).title)}
    assert look.read_titles([first, second, 99]).keys() == {first, second}
    assert look.read_titles([], BEN) == {}


def test_a_page_reads_small_devices_at_once_and_large_ones_alone(
    db: Database, downloads: Downloads, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "FEW_FILES", 1)
    Devices(db).save(Device(PHONE, "Phone", "/media/phone", BEGIN))
    for device in (CARD, PHONE):
        downloads.queue.add_all([wanted(4, device=device)])
    for number in (1, 2, 3):
        arrived(downloads, number)
    reader, devices = Inventory(db), (STICK, CARD, PHONE)

    def read_page() -> tuple[Mapping[str, Holdings], list[list[str]]]:
        asked: list[object] = []
        end = hook(db, lambda _sql, values: asked.append(values[0]) if values else None)
        with db.look():
            found = {one: reader.list_holdings(one, clock.now()) for one in devices}
        end()
        return found, [sorted(json.loads(one)) for one in asked if isinstance(one, str)]

    alone = {one: Inventory(db).list_holdings(one, clock.now()) for one in devices}
    found, asked = read_page()

    assert found == alone
    # Holds, files and what waits.
    assert asked == 3 * [[STICK]] + 3 * [sorted([CARD, PHONE])]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        (inventory.STORED, 1),
        (inventory.WAITING, 2),
        (inventory.RUNNING, 1),
        (inventory.GRIPS, 1),
        (inventory.GRIPS_OF, 2),
        (inventory.SEEN_BY, 2),
        (inventory.TITLES, 1),
        (inventory.TITLES_SEEN_BY, 2),
    ],
)
def test_no_query_sorts_or_walks_through_another_device_s_files(
    db: Database, sql: str, parameters: int
) -> None:
    steps = [row[3] for row in db.sql(f"EXPLAIN QUERY PLAN {sql}", [0] * parameters)]

    # What waits is walked through in the small index of the queue alone.
    few = ("downloads_to_claim", "VIRTUAL TABLE")
    walked = [one for one in steps if one.startswith("SCAN") and not any(x in one for x in few)]
    assert walked == []
    assert not any("TEMP B-TREE" in one for one in steps)


def test_a_rest_ends_by_itself_or_on_somebody_s_word(db: Database, clock: FakeClock) -> None:
    rests, week = EvictionCooldowns(db, clock), timedelta(days=7)
    for number in (1, 2):
        rests.put(STICK, track(number).id, clock.now() + week)

    assert rests.list_cooling_down(STICK, clock.now()) == {track(1).id, track(2).id}
    assert rests.list_cooling_down(CARD, clock.now()) == frozenset()
    assert rests.end(STICK, track(1).id)
    assert not rests.end(STICK, track(1).id)
    assert rests.list_cooling_down(STICK, clock.now()) == {track(2).id}
    assert rests.list_cooling_down(STICK, clock.now() + week) == frozenset()
    assert rests.list_cooling_down(STICK, clock.now() - week) == {track(2).id}
    assert rests.list_cooling_down(STICK, clock.now() - 5 * week) == frozenset()
    clock.advance(week.total_seconds())
    rests.put(STICK, track(3).id, clock.now() + week)
    assert db.sql("SELECT count(*) FROM rests")[0][0] == 1


def test_a_finished_file_that_goes_is_no_longer_there(
    db: Database, downloads: Downloads, clock: FakeClock
) -> None:
    there = downloads.queries.get(arrived(downloads, 1))
    assert there is not None
    downloads.transitions.move(there, Move.EVICT)

    assert Inventory(db).list_holdings(STICK, clock.now()).stored == ()


def test_what_came_back_on_somebody_s_word_rests_no_more(
    db: Database, downloads: Downloads, clock: FakeClock
) -> None:
    rests = EvictionCooldowns(db, clock)
    there = downloads.queries.get(arrived(downloads, 1))
    assert there is not None
    rests.put(STICK, track(1).id, clock.now() + timedelta(days=7))
    downloads.transitions.evict(there)
    assert rests.list_cooling_down(STICK, clock.now()) == {track(1).id}

    gone = downloads.queries.get(there.id)
    assert gone is not None
    downloads.transitions.want_again(gone, user_id=ANN)

    assert rests.list_cooling_down(STICK, clock.now()) == frozenset()
