from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.domain.downloads.download import Download, Move, Status, Validator
from sidecar.domain.transfers.together import SMALL
from sidecar.events import Bus, DownloadChanged, Event
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.order import NotNow
from sidecar.store.downloads.queue import Downloads, WantedAgain
from tests.fakes.clock import FakeClock
from tests.store.examples import ANN, BEGIN, BEN, CARD, HASH, STICK, TIMED_OUT, queued, wanted

MODIFIED = Validator("Sun, 01 Nov 2026 10:00:00 GMT", 1000)


def queue(downloads: Downloads) -> list[int]:
    waiting = DownloadFilter(statuses=frozenset({Status.PENDING}))
    ids = downloads.queries.ids(waiting, 1000)
    places = downloads.queries.positions(ids)
    assert sorted(ids, key=lambda one: places[one]) == ids
    return ids


def some(downloads: Downloads, count: int) -> list[Download]:
    return [queued(downloads, wanted(number)) for number in range(count)]


def test_those_asked_for_in_one_millisecond_keep_their_order(downloads: Downloads) -> None:
    asked = some(downloads, 5)

    assert queue(downloads) == [one.id for one in asked]


def test_one_goes_to_the_top_and_is_the_next_that_is_claimed(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(10, priority=7)])
    last = some(downloads, 3)[-1]

    assert downloads.queue.put_first(last)

    (claimed,) = downloads.queue.claim_together(BEGIN, at_most=1)
    assert claimed.id == last.id


def test_one_is_put_right_before_another_and_takes_its_priority(downloads: Downloads) -> None:
    (urgent,) = downloads.queue.add_all([wanted(10, priority=7)])
    one, two, three = some(downloads, 3)

    assert downloads.queue.put_before(three, two)
    assert queue(downloads) == [urgent.id, one.id, three.id, two.id]

    assert downloads.queue.put_before(two, urgent)
    assert queue(downloads) == [two.id, urgent.id, one.id, three.id]


def test_one_is_put_behind_all_others_whatever_its_priority(downloads: Downloads) -> None:
    (urgent,) = downloads.queue.add_all([wanted(10, priority=7)])
    one, two = some(downloads, 2)

    assert downloads.queue.put_before(urgent, None)
    assert downloads.queue.put_before(one, None)

    assert queue(downloads) == [two.id, urgent.id, one.id]


def test_what_is_paused_finds_its_old_place_again(downloads: Downloads) -> None:
    one, two, three = some(downloads, 3)
    downloads.transitions.pause(two)
    # So often that all places are spread anew.
    for _ in range(60):
        assert downloads.queue.put_before(three, one)
        assert downloads.queue.put_before(one, three)
    resumed = downloads.queries.get(two.id)
    assert resumed is not None
    downloads.transitions.resume(resumed)

    assert queue(downloads) == [one.id, three.id, two.id]


def test_what_is_wanted_again_goes_behind_all_others(downloads: Downloads) -> None:
    first = some(downloads, 1)[0]
    (running,) = downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.mark_arrived(running, size=1000, content_hash=HASH, mime_type=None)
    some(downloads, 3)
    there = downloads.queries.get(first.id)
    assert there is not None
    downloads.transitions.delete(there)
    removed = downloads.queries.get(first.id)
    assert removed is not None
    downloads.queue.add_all([], again=[WantedAgain(removed, removed.user_id, 0, 0)])

    assert queue(downloads)[-1] == first.id


def test_nothing_is_put_before_what_does_not_wait(downloads: Downloads) -> None:
    one, two = some(downloads, 2)
    downloads.transitions.pause(two)

    assert not downloads.queue.put_before(one, two)
    assert not downloads.queue.put_before(one, one)
    assert queue(downloads) == [one.id]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=60))
def test_any_series_of_moves_gives_the_order_that_a_list_would_have(
    db: Database, downloads: Downloads, moves: list[tuple[int, int]]
) -> None:
    asked = some(downloads, 6)
    expected = queue(downloads)
    for one, other in moves:
        if one == other:
            downloads.queue.put_first(asked[one])
            expected.remove(asked[one].id)
            expected.insert(0, asked[one].id)
        else:
            downloads.queue.put_before(asked[one], asked[other])
            expected.remove(asked[one].id)
            expected.insert(expected.index(asked[other].id), asked[one].id)
        assert queue(downloads) == expected


# -- parts that outlive their download


def begun(downloads: Downloads, held: int = 400) -> Download:
    downloads.queue.add_all([wanted(1)])
    (running,) = downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.transfer_started(running.id, MODIFIED, held)
    found = downloads.queries.get(running.id)
    assert found is not None
    return found


def test_a_kept_part_goes_on_under_its_old_id_when_it_is_asked_for_again(
    downloads: Downloads,
) -> None:
    running = begun(downloads)
    assert downloads.queue.cancel(running, keep_part=True)
    assert downloads.queue.list_forgotten([running.id]) == frozenset()
    downloads.queue.add_all([wanted(2)])

    (again,) = downloads.queue.add_all([wanted(1)])

    assert (again.id, again.bytes_downloaded, again.validator) == (running.id, 400, MODIFIED)
    downloads.queue.cancel(again)
    assert downloads.queue.list_forgotten([again.id]) == {again.id}


def test_a_part_that_is_not_kept_is_forgotten(downloads: Downloads) -> None:
    running = begun(downloads)
    downloads.queue.cancel(running)

    (again,) = downloads.queue.add_all([wanted(1)])

    assert again.id != running.id
    assert again.bytes_downloaded == 0


def test_a_part_without_a_byte_that_counts_is_not_kept(downloads: Downloads) -> None:
    running = begun(downloads, held=0)
    downloads.queue.cancel(running, keep_part=True)

    assert downloads.queue.list_forgotten([running.id]) == {running.id}


def test_a_part_is_not_kept_for_ever(downloads: Downloads, clock: FakeClock) -> None:
    running = begun(downloads)
    downloads.queue.cancel(running, keep_part=True)
    clock.advance(timedelta(days=31).total_seconds())

    assert downloads.queue.list_forgotten([running.id]) == {running.id}


def test_a_cooldown_is_ended_with_all_tries_given_back(downloads: Downloads) -> None:
    running = begun(downloads)
    until = BEGIN + timedelta(minutes=1)
    downloads.transitions.postpone(running, until=until, failure=TIMED_OUT, retry_count=2)
    waiting = downloads.queries.get(running.id)
    assert waiting is not None

    assert downloads.queue.end_cooldown(waiting, from_zero=True)

    now = downloads.queries.get(running.id)
    assert now is not None
    assert (now.retry_next_at, now.retry_count, now.error_code) == (None, 0, None)
    assert (now.bytes_downloaded, now.validator) == (0, None)


def test_a_download_is_handed_over(downloads: Downloads) -> None:
    one = some(downloads, 1)[0]
    assert one.user_id == ANN

    assert downloads.queue.hand_over(one, "b" * 32)

    found = downloads.queries.get(one.id)
    assert found is not None
    assert found.user_id == "b" * 32


def test_a_folder_that_is_played_in_disk_order_gets_its_files_one_by_one(
    downloads: Downloads,
) -> None:
    names = ["Car/A/03.mp3", "Car/A/01.mp3", "Car/B/01.mp3", "Car/A/02.mp3", "Car/A/B/00.mp3"]
    for number, name in enumerate(names):
        downloads.queue.add_all([wanted(number, path=name)])
    downloads.queue.add_all([wanted(9, path="Car/A/09.mp3", priority=5)])

    def claim() -> Sequence[Download]:
        return downloads.queue.claim_together(BEGIN, in_order=[STICK], at_most=1)

    # A person's own comes first; then all others of its folder wait for it.
    first = [one for _ in range(4) for one in claim()]
    assert [one.file_path for one in first] == ["Car/A/09.mp3", "Car/B/01.mp3", "Car/A/B/00.mp3"]
    downloads.transitions.mark_arrived(first[0], size=1, content_hash=HASH, mime_type="audio/mpeg")
    later = []
    for _ in range(2):
        (found,) = claim()
        assert not claim()
        later.append(found.file_path)
        downloads.transitions.mark_arrived(found, size=1, content_hash=HASH, mime_type="audio/mpeg")
    assert later == ["Car/A/01.mp3", "Car/A/02.mp3"]


def test_what_cannot_come_now_keeps_nothing_waiting(downloads: Downloads) -> None:
    busy, cooling, blocked, last = (
        downloads.queue.add_all([wanted(number, path=f"A/{number}.mp3", user=user)])[0]
        for number, user in enumerate((ANN, ANN, BEN, ANN))
    )
    (taken,) = downloads.queue.claim_together(
        BEGIN, NotNow(downloads=[busy.id, blocked.id, last.id]), at_most=1
    )
    assert taken.id == cooling.id
    downloads.transitions.postpone(
        taken, until=BEGIN + timedelta(hours=1), failure=TIMED_OUT, retry_count=1
    )

    (found,) = downloads.queue.claim_together(
        BEGIN, NotNow(downloads=[busy.id], users=[BEN]), in_order=[STICK], at_most=1
    )

    assert found.id == last.id


def test_other_devices_get_several_files_of_a_folder_at_once(downloads: Downloads) -> None:
    some(downloads, 2)

    assert downloads.queue.claim_together(BEGIN, in_order=["another"], at_most=1)
    assert downloads.queue.claim_together(BEGIN, in_order=["another"], at_most=1)


def test_several_are_claimed_in_the_order_of_the_queue(downloads: Downloads, bus: Bus) -> None:
    downloads.queue.add_all([wanted(number) for number in range(1, 6)])
    downloads.queue.add_all([wanted(6, priority=5)])
    changed: list[Event] = []
    bus.subscribe(changed.append)

    claimed = downloads.queue.claim_together(BEGIN, at_most=4)

    assert [one.title for one in claimed] == ["Track 6", "Track 1", "Track 2", "Track 3"]
    assert {one.status for one in claimed} == {Status.DOWNLOADING}
    assert {one.started_at for one in claimed} == {BEGIN}
    assert downloads.queue.claimed() == {one.id for one in claimed}
    assert changed == [DownloadChanged(one, Status.PENDING, Status.DOWNLOADING) for one in claimed]
    assert [one.title for one in downloads.queue.claim_together(BEGIN, at_most=4)] == [
        "Track 4",
        "Track 5",
    ]
    assert downloads.queue.claim_together(BEGIN, at_most=4) == ()


def test_one_for_two_devices_is_claimed_for_one_of_them_at_a_time(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1), wanted(2, device=CARD), wanted(2), wanted(3)])

    claimed = downloads.queue.claim_together(BEGIN, at_most=4)
    again = downloads.queue.claim_together(BEGIN, at_most=4)
    rest = downloads.queue.claim_together(BEGIN, at_most=4)

    assert [one.title for one in claimed] == ["Track 1"]
    assert [(one.title, one.device_id) for one in again] == [("Track 2", CARD)]
    assert [one.title for one in rest] == ["Track 3"]


def test_large_ones_are_claimed_one_by_one(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1), wanted(2, size=SMALL + 1), wanted(3)])

    assert [
        [one.title for one in downloads.queue.claim_together(BEGIN, at_most=4)] for _ in range(3)
    ] == [["Track 1"], ["Track 2"], ["Track 3"]]


def test_a_device_in_order_gets_one_file_of_a_folder_at_a_time(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(number, path=f"Car/{number}.mp3") for number in range(3)])

    claimed = downloads.queue.claim_together(BEGIN, in_order=[STICK], at_most=4)

    assert [one.title for one in claimed] == ["Track 0"]
    assert downloads.queue.claim_together(BEGIN, in_order=[STICK], at_most=4) == ()


def test_what_was_claimed_together_is_queued_again_where_it_was(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(number) for number in range(1, 4)])
    claimed = downloads.queue.claim_together(BEGIN, at_most=2)

    back = downloads.transitions.move_all(claimed, Move.POSTPONE)

    assert {(one.status, one.claimed_by, one.retry_next_at) for one in back} == {
        (Status.PENDING, None, None)
    }
    assert [one.title for one in downloads.queue.claim_together(BEGIN, at_most=3)] == [
        "Track 1",
        "Track 2",
        "Track 3",
    ]
