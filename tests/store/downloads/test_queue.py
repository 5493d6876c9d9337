from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.downloads.download import Download, Move, Status, Validator
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.files.removals import Expected
from sidecar.domain.wishes import PIN, Reason, Wish
from sidecar.errors import IllegalMove
from sidecar.events import Bus, DownloadChanged, Event, WorkArrived
from sidecar.store.database import Database
from sidecar.store.dialects.postgresql import PostgresqlDialect
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.downloads.order import NotNow
from sidecar.store.downloads.queue import Downloads, WantedAgain
from sidecar.store.downloads.transitions import WholeFile
from sidecar.store.rules.holds import Holds
from tests.fakes.clock import FakeClock
from tests.statements import hook
from tests.store.examples import ANN, BEGIN, BEN, CARD, HASH, STICK, TIMED_OUT, track, wanted

MIB = 1024 * 1024
VALIDATOR = Validator("Sun, 01 Nov 2026 10:00:00 GMT", 5 * MIB)


def claimed(downloads: Downloads) -> Download:
    (download,) = downloads.queue.claim_together(BEGIN, at_most=1)
    return download


def fresh(downloads: Downloads, download: Download) -> Download:
    found = downloads.queries.get(download.id)
    assert found is not None
    return found


def arrived(downloads: Downloads, number: int = 1) -> Download:
    downloads.queue.add_all([wanted(number)])
    download = claimed(downloads)
    assert downloads.transitions.mark_arrived(
        download, size=1000, content_hash=HASH, mime_type="audio/flac"
    )
    return fresh(downloads, download)


def test_a_wanted_file_waits_in_the_queue(downloads: Downloads, clock: FakeClock) -> None:
    (download,) = downloads.queue.add_all([wanted(1, priority=5)])

    assert download.status is Status.PENDING
    assert (download.title, download.artist, download.album) == ("Track 1", "Björk", "Début")
    assert (download.user_id, download.priority) == (ANN, 5)
    assert download.queued_at == clock.now()
    assert download.expected_size == 1000
    assert downloads.queries.get(download.id) == download
    assert downloads.queries.by_item(STICK, track(1).id) == download


def test_an_item_is_on_a_device_only_once(downloads: Downloads, news: list[Event]) -> None:
    (first,) = downloads.queue.add_all([wanted(1)])
    news.clear()

    with pytest.raises(ValueError, match="taken"):
        downloads.queue.add_all([wanted(1, user=BEN)])

    assert downloads.queries.by_item(STICK, first.item_id) == first
    assert news == []


def test_a_pending_one_asked_for_more_urgently_moves_up(downloads: Downloads) -> None:
    _, again = downloads.queue.add_all([wanted(1), wanted(2)])

    assert downloads.queue.prioritise(again, 9)

    assert fresh(downloads, again).priority == 9
    assert claimed(downloads).id == again.id


def test_a_taken_path_gives_way_to_the_next_one(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1, path="Album/Song.flac")])
    places = [
        FilePlace("Album/SONG.flac", "album/song.flac"),
        FilePlace("Album/SONG 2.flac", "album/2"),
    ]

    (download,) = downloads.queue.add_all([replace(wanted(2), places=places)])

    assert download.file_path == "Album/SONG 2.flac"


@pytest.mark.parametrize("taken", ["a", "a/b", "a/b/c", "a/b/c/d"])
def test_a_file_is_never_given_the_place_of_a_folder_or_the_other_way(
    downloads: Downloads, taken: str
) -> None:
    downloads.queue.add_all([wanted(1, path=taken)])

    with pytest.raises(ValueError, match="taken"):
        downloads.queue.add_all([wanted(2, path="a/b/c")])


@pytest.mark.parametrize("near", ["a/b/c0", "a/b/c c", "a/b/c.flac", "a/bc"])
def test_a_name_that_only_begins_alike_is_free(downloads: Downloads, near: str) -> None:
    downloads.queue.add_all([wanted(1, path=near)])

    (download,) = downloads.queue.add_all([wanted(2, path="a/b/c")])

    assert download.file_path == "a/b/c"


def test_the_same_path_is_free_on_another_device(downloads: Downloads) -> None:
    (first,) = downloads.queue.add_all([wanted(1, path="a")])
    (second,) = downloads.queue.add_all([wanted(2, path="a", device=CARD)])

    assert first.file_path == second.file_path


def test_claims_go_by_priority_then_by_age(downloads: Downloads, clock: FakeClock) -> None:
    downloads.queue.add_all([wanted(1)])
    clock.advance(1)
    downloads.queue.add_all([wanted(2)])
    downloads.queue.add_all([wanted(3, priority=1)])

    order = [claimed(downloads).title for _ in range(3)]

    assert order == ["Track 3", "Track 1", "Track 2"]
    assert not downloads.queue.claim_together(clock.now(), at_most=1)


def test_what_is_on_its_way_to_another_device_is_waited_for(downloads: Downloads) -> None:
    (first,) = downloads.queue.add_all([wanted(1)])
    (second,) = downloads.queue.add_all([wanted(1, device=CARD)])
    (other,) = downloads.queue.add_all([wanted(2)])

    assert [claimed(downloads).id, claimed(downloads).id] == [first.id, other.id]
    assert not downloads.queue.claim_together(BEGIN, at_most=1)

    downloads.transitions.mark_all_finalizing([(first.id, WholeFile(1, HASH, None), {})])
    assert not downloads.queue.claim_together(BEGIN, NotNow(downloads=[first.id]), at_most=1)

    there = downloads.queries.get(first.id)
    assert there is not None
    downloads.transitions.mark_arrived(there, size=1, content_hash=HASH, mime_type=None)
    assert claimed(downloads).id == second.id


def test_what_failed_on_its_way_to_another_device_is_not_waited_for(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1)])
    (second,) = downloads.queue.add_all([wanted(1, device=CARD)])
    first = claimed(downloads)
    downloads.transitions.postpone(
        first, until=BEGIN + timedelta(hours=1), failure=TIMED_OUT, retry_count=1
    )

    assert claimed(downloads).id == second.id


def test_what_was_finished_on_a_stick_that_is_away_is_not_waited_for(downloads: Downloads) -> None:
    (first,) = downloads.queue.add_all([wanted(1)])
    (second,) = downloads.queue.add_all([wanted(1, device=CARD)])
    downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.mark_all_finalizing([(first.id, WholeFile(1, HASH, None), {})])

    assert claimed(downloads).id == second.id


def test_what_cools_down_is_not_claimed_before_its_time(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1)])
    later = BEGIN + timedelta(seconds=5)
    downloads.transitions.postpone(
        claimed(downloads), until=later, failure=TIMED_OUT, retry_count=1
    )

    assert not downloads.queue.claim_together(later - timedelta(milliseconds=1), at_most=1)

    (download,) = downloads.queue.claim_together(later, at_most=1)
    assert (download.retry_count, download.error_code) == (1, "timed-out")
    assert download.retry_next_at is None


def test_what_waits_longer_than_any_failure_lets_it_is_due(
    downloads: Downloads, news: list[Event]
) -> None:
    waits = [timedelta(hours=1), timedelta(days=365), timedelta(days=365), timedelta(days=365)]
    codes = ["timed-out", "timed-out", "empty", "timed-out"]
    downloads.queue.add_all([wanted(number) for number in range(1, 5)])
    rows = [claimed(downloads) for _ in waits]
    for row, wait, code in zip(rows, waits, codes, strict=True):
        failure = replace(TIMED_OUT, code=code)
        fail = downloads.transitions.give_up if row is rows[-1] else downloads.transitions.postpone
        assert fail(row, until=BEGIN + wait, failure=failure, retry_count=1)
    news.clear()

    downloads.queue.bound_waits(BEGIN, timedelta(hours=2), but=["empty"])

    assert news == [WorkArrived()]
    near, far, slow, failed = (fresh(downloads, row).retry_next_at for row in rows)
    assert (near, slow) == (BEGIN + waits[0], BEGIN + waits[2])
    assert far == failed == BEGIN
    assert [one.id for one in downloads.queries.failed_and_due(BEGIN)] == [rows[-1].id]
    downloads.queue.bound_waits(BEGIN, timedelta(hours=2), but=["empty"])
    assert news == [WorkArrived()], "nothing more was written"


def test_blocked_devices_users_and_busy_parts_are_passed_over(downloads: Downloads) -> None:
    (first,) = downloads.queue.add_all([wanted(1, priority=9)])
    downloads.queue.add_all([wanted(2, user=BEN, priority=5)])
    downloads.queue.add_all([wanted(3, device=CARD)])

    assert not downloads.queue.claim_together(
        BEGIN, NotNow(devices={CARD}, users={BEN}, downloads={first.id}), at_most=1
    )

    (download,) = downloads.queue.claim_together(
        BEGIN, NotNow(users={BEN}, downloads={first.id}), at_most=1
    )
    assert download.title == "Track 3"


@pytest.mark.sqlite
def test_no_statement_of_a_file_is_planned_anew_for_each(
    db: Database, downloads: Downloads
) -> None:
    if not db.sql("SELECT 1 FROM pragma_module_list WHERE name = 'sqlite_stmt'"):
        pytest.skip("this SQLite does not tell of its statements")
    for number in range(5):
        there = arrived(downloads, number)
        downloads.transitions.evict(there)
        downloads.queue.add_all([wanted(number + 10)])
        downloads.transitions.pause(claimed(downloads))

    planned = db.dialect.writer.execute_sql(
        "SELECT sql FROM sqlite_stmt WHERE reprep > 1 AND sql NOT LIKE 'PRAGMA %'"
    )

    assert list(planned) == []


def test_two_threads_never_claim_the_same_one(db: Database, downloads: Downloads) -> None:
    with db.write():
        for number in range(120):
            downloads.queue.add_all([wanted(number)])

    def take(_: int) -> list[int]:
        with db.thread():
            mine = []
            while found := downloads.queue.claim_together(BEGIN, at_most=1):
                mine.append(found[0].id)
            return mine

    with ThreadPoolExecutor(8) as pool:
        shares = list(pool.map(take, range(8)))

    everything = [number for share in shares for number in share]
    assert len(everything) == len(set(everything)) == 120


def test_files_of_a_group_are_finished_each_by_itself(
    db: Database, downloads: Downloads, news: list[Event], clock: FakeClock
) -> None:
    downloads.queue.add_all([wanted(number) for number in range(1, 6)])
    first, paused, cancelled, kept, other = (claimed(downloads) for _ in range(5))
    assert downloads.transitions.pause(paused)
    assert downloads.queue.cancel(cancelled)
    with db.write():
        db.execute_sql(
            "UPDATE downloads SET claimed_by = 'another' WHERE id = ? RETURNING id", [other.id]
        )
    downloads.transitions.transfer_started(kept.id, VALIDATOR, 0)
    group = (first, paused, cancelled, kept, other)
    note = {"format_note": "why", "source_size": 7, "source_hash": "5" * 32, "original_size": 7}
    whole = [(one, WholeFile(100 * one.id, f"{one.id:032x}", None)) for one in group]
    news.clear()

    may = downloads.transitions.mark_all_finalizing(
        [(one.id, file, {"format": "opus-96k", **note}) for one, file in whole[:-1]]
        + [(other.id, whole[-1][1], {})]
    )

    assert may == [True, False, False, True, False]
    now = fresh(downloads, first)
    size = 100 * first.id
    assert (now.finalizing, now.file_size, now.bytes_downloaded) == (True, size, size)
    assert (now.format, now.format_note, now.original_size) == ("opus-96k", "why", 7)
    assert (now.source_size, now.source_hash, now.mime_type) == (7, "5" * 32, None)
    whole = [(replace(one, original_size=7) if one is kept else one, file) for one, file in whole]

    assert downloads.transitions.mark_all_arrived(whole) == may

    for one in (first, kept):
        there = fresh(downloads, one)
        assert (there.status, there.completed_at) == (Status.COMPLETED, clock.now())
        assert (there.file_size, there.content_hash) == (100 * one.id, f"{one.id:032x}")
        assert (there.finalizing, there.claimed_by) == (False, None)
        assert there.validator == (VALIDATOR if one is kept else None)
    assert fresh(downloads, paused).status is Status.PAUSED
    assert fresh(downloads, other).status is Status.DOWNLOADING
    assert [one.download.id for one in news if isinstance(one, DownloadChanged)] == [
        first.id,
        kept.id,
    ]
    moves = downloads.transitions.activity.moves(0, 10)
    assert [(one.item_id, one.is_own) for one in moves] == [
        (first.item_id, True),
        (kept.item_id, True),
    ]


def test_many_are_moved_forward_at_once_unless_they_are_begun(
    downloads: Downloads, news: list[Event]
) -> None:
    downloads.queue.add_all([wanted(number) for number in (1, 2, 3)])
    running = claimed(downloads)
    second, third = (downloads.queries.by_item(STICK, track(number).id) for number in (2, 3))
    assert second
    assert third
    news.clear()

    downloads.queue.prioritise_all([(replace(running, status=Status.PENDING), 9), (third, 5)])

    assert [fresh(downloads, one).priority for one in (running, second, third)] == [0, 0, 5]
    assert [one.download.id for one in news if isinstance(one, DownloadChanged)] == [third.id]
    assert claimed(downloads).id == third.id


def test_a_lost_race_changes_nothing(downloads: Downloads, news: list[Event]) -> None:
    downloads.queue.add_all([wanted(1)])
    download = claimed(downloads)
    assert downloads.transitions.pause(download)
    news.clear()

    assert not downloads.transitions.mark_arrived(
        download, size=1, content_hash=HASH, mime_type=None
    )

    assert fresh(downloads, download).status is Status.PAUSED
    assert news == []


def test_a_move_that_is_not_in_the_table_raises(downloads: Downloads) -> None:
    (download,) = downloads.queue.add_all([wanted(1)])

    with pytest.raises(IllegalMove, match="pending download cannot arrive"):
        downloads.transitions.mark_arrived(download, size=1, content_hash=HASH, mime_type=None)


@pytest.mark.sqlite
def test_the_news_comes_after_the_commit(db: Database, downloads: Downloads, bus: Bus) -> None:
    (download,) = downloads.queue.add_all([wanted(1)])
    # Another connection sees only what is committed.
    beside = Database.open_existing(db.path)
    seen: list[Download | None] = []
    bus.subscribe(
        lambda _: seen.append(Downloads(beside, Bus(), FakeClock()).queries.get(download.id))
    )

    running = claimed(downloads)
    beside.close()

    assert seen == [running]


def test_news_of_a_failed_transaction_are_never_told(
    db: Database, downloads: Downloads, news: list[Event]
) -> None:
    def ask_for_two() -> None:
        with db.write():
            downloads.queue.add_all([wanted(1)])
            downloads.queue.add_all([replace(wanted(2), places=[])])

    with pytest.raises(ValueError, match="taken"):
        ask_for_two()

    assert news == []
    assert downloads.queries.by_item(STICK, track(1).id) is None


def test_every_move_is_told_with_what_was_and_what_is(
    downloads: Downloads, news: list[Event]
) -> None:
    download = arrived(downloads)

    moves = [(one.was, one.now) for one in news if isinstance(one, DownloadChanged)]
    assert moves == [
        (None, Status.PENDING),
        (Status.PENDING, Status.DOWNLOADING),
        (Status.DOWNLOADING, Status.COMPLETED),
    ]
    assert [type(one) for one in news].count(WorkArrived) == 1
    assert isinstance(news[-1], DownloadChanged)
    assert news[-1].download == download


def test_an_arrived_file_is_complete_and_without_blemish(
    downloads: Downloads, clock: FakeClock
) -> None:
    downloads.queue.add_all([wanted(1)])
    downloads.transitions.postpone(claimed(downloads), until=None, failure=TIMED_OUT, retry_count=1)
    download = claimed(downloads)
    downloads.transitions.transfer_started(download.id, VALIDATOR, 0)
    downloads.transitions.mark_all_finalizing(
        [(download.id, WholeFile(5 * MIB, HASH, "audio/flac"), {})]
    )
    clock.advance(60)

    assert downloads.transitions.mark_arrived(
        download, size=5 * MIB, content_hash=HASH, mime_type="audio/flac"
    )

    there = fresh(downloads, download)
    assert there.status is Status.COMPLETED
    assert (there.file_size, there.content_hash, there.mime_type) == (5 * MIB, HASH, "audio/flac")
    assert (there.progress, there.completed_at) == (1.0, clock.now())
    assert (there.validator, there.finalizing) == (None, False)
    assert (there.error_code, there.error_message, there.retry_count) == (None, None, 0)


def test_a_failed_one_keeps_its_reason_until_it_is_retried(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1)])
    download = claimed(downloads)
    downloads.transitions.transfer_started(download.id, VALIDATOR, 0)
    downloads.transitions.record_synced(download.id, MIB)
    until = BEGIN + timedelta(hours=1)

    assert downloads.transitions.give_up(download, until=until, failure=TIMED_OUT, retry_count=3)

    failed = fresh(downloads, download)
    assert failed.status is Status.FAILED
    assert failed.error_message == TIMED_OUT.message
    assert downloads.queries.failed_and_due(until - timedelta(seconds=1)) == []
    assert downloads.queries.failed_and_due(until) == [failed]
    assert downloads.transitions.retry(failed)
    again = fresh(downloads, download)
    assert (again.status, again.error_code, again.retry_count) == (Status.PENDING, None, 0)
    assert (again.validator, again.bytes_downloaded) == (VALIDATOR, MIB)


Fail = Callable[[Downloads, Download], bool]


@pytest.mark.parametrize(
    "restart",
    [
        lambda them, one: them.transitions.postpone(
            one, until=None, failure=TIMED_OUT, retry_count=1, from_zero=True
        ),
        lambda them, one: them.transitions.give_up(
            one, until=None, failure=TIMED_OUT, retry_count=1, from_zero=True
        ),
    ],
)
def test_from_zero_forgets_the_part_file(downloads: Downloads, restart: Fail) -> None:
    downloads.queue.add_all([wanted(1)])
    download = claimed(downloads)
    downloads.transitions.transfer_started(download.id, VALIDATOR, 0)
    downloads.transitions.record_synced(download.id, MIB)

    assert restart(downloads, download)

    assert fresh(downloads, download).validator is None
    assert fresh(downloads, download).bytes_downloaded == 0


def test_a_retry_from_zero_forgets_the_part_file(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1)])
    download = claimed(downloads)
    downloads.transitions.transfer_started(download.id, VALIDATOR, MIB)
    downloads.transitions.give_up(download, until=None, failure=TIMED_OUT, retry_count=3)

    assert downloads.transitions.retry(fresh(downloads, download), from_zero=True)

    assert fresh(downloads, download).validator is None
    assert fresh(downloads, download).bytes_downloaded == 0


def test_a_pause_keeps_the_part_and_the_cooldown(downloads: Downloads) -> None:
    (download,) = downloads.queue.add_all([wanted(1)])
    until = BEGIN + timedelta(seconds=45)
    downloads.transitions.postpone(
        claimed(downloads), until=until, failure=TIMED_OUT, retry_count=3
    )

    assert downloads.transitions.pause(fresh(downloads, download))
    assert not downloads.queue.claim_together(until, at_most=1)
    assert downloads.transitions.resume(fresh(downloads, download))

    assert fresh(downloads, download).retry_next_at == until
    assert not downloads.queue.claim_together(BEGIN, at_most=1)


def test_progress_of_what_no_longer_runs_is_not_noted(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1)])
    download = claimed(downloads)
    downloads.transitions.pause(download)

    assert not downloads.transitions.transfer_started(download.id, VALIDATOR, 7)
    assert not downloads.transitions.record_synced(download.id, 7)
    assert list(
        downloads.transitions.mark_all_finalizing([(download.id, WholeFile(7, HASH, None), {})])
    ) == [False]
    assert fresh(downloads, download).bytes_downloaded == 0
    assert not fresh(downloads, download).finalizing


def test_what_this_process_has_claimed_and_is_not_finalizing_is_listed(
    downloads: Downloads,
) -> None:
    downloads.queue.add_all([wanted(1), wanted(2), wanted(3)])
    running, finishing = claimed(downloads), claimed(downloads)
    downloads.transitions.mark_all_finalizing([(finishing.id, WholeFile(7, HASH, None), {})])

    assert [one.id for one in downloads.queue.list_claimed()] == [running.id]


def test_what_is_finalizing_cannot_be_paused_or_cancelled(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1)])
    download = claimed(downloads)
    assert list(
        downloads.transitions.mark_all_finalizing([(download.id, WholeFile(7, HASH, None), {})])
    ) == [True]

    assert not downloads.transitions.pause(download)
    assert not downloads.queue.cancel(download)

    assert downloads.transitions.mark_arrived(download, size=7, content_hash=HASH, mime_type=None)


def test_what_was_cancelled_while_it_was_finalizing_is_listed_until_it_is_gone(
    downloads: Downloads,
) -> None:
    for number in (1, 2):
        downloads.queue.add_all([wanted(number)])
        download = claimed(downloads)
        downloads.transitions.mark_all_finalizing([(download.id, WholeFile(7, HASH, None), {})])
        if number == 1:
            assert downloads.transitions.abandon(fresh(downloads, download))

    [left] = downloads.queue.list_abandoned(STICK)
    assert (left.item_id, left.status, left.content_hash) == (wanted(1).item.id, "removed", HASH)
    assert downloads.queue.list_abandoned("another") == []

    downloads.queue.forget_abandoned(left)

    assert downloads.queue.list_abandoned(STICK) == []


def test_a_failed_finish_leaves_no_trace_of_a_finished_file(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1)])
    download = claimed(downloads)
    downloads.transitions.mark_all_finalizing([(download.id, WholeFile(7, HASH, None), {})])

    downloads.transitions.postpone(download, until=None, failure=TIMED_OUT, retry_count=1)

    waiting = fresh(downloads, download)
    assert (waiting.finalizing, waiting.file_size, waiting.content_hash) == (False, None, None)


def test_after_a_crash_the_queue_goes_on_where_the_parts_are(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1)])
    downloads.queue.add_all([wanted(2)])
    running, finishing = claimed(downloads), claimed(downloads)
    downloads.transitions.transfer_started(running.id, VALIDATOR, 0)
    downloads.transitions.record_synced(running.id, 3 * MIB)
    downloads.transitions.mark_all_finalizing(
        [(finishing.id, WholeFile(7, HASH, "audio/flac"), {})]
    )

    to_settle = downloads.queue.recover()

    assert [one.id for one in to_settle] == [finishing.id]
    assert (to_settle[0].file_size, to_settle[0].content_hash) == (7, HASH)
    assert to_settle[0].mime_type == "audio/flac"
    waiting = fresh(downloads, running)
    assert waiting.status is Status.PENDING
    assert (waiting.validator, waiting.bytes_downloaded) == (VALIDATOR, 3 * MIB)
    assert downloads.queue.recover() == to_settle


def test_after_a_crash_many_downloads_are_queued_again_with_few_statements(
    db: Database, downloads: Downloads
) -> None:
    downloads.queue.add_all([wanted(number) for number in range(40)])
    running = [claimed(downloads) for _ in range(40)]
    said: list[str] = []
    end = hook(db, lambda sql, _values: said.append(sql))

    assert downloads.queue.recover() == []
    end()

    assert len(said) < 10
    assert {fresh(downloads, one).status for one in running} == {Status.PENDING}
    assert {fresh(downloads, one).claimed_by for one in running} == {None}


def test_cancelling_deletes_the_row_and_says_so(downloads: Downloads, news: list[Event]) -> None:
    (download,) = downloads.queue.add_all([wanted(1)])
    news.clear()

    assert downloads.queue.cancel(download)
    assert not downloads.queue.cancel(download)

    assert downloads.queries.get(download.id) is None
    assert news == [DownloadChanged(download, Status.PENDING, None)]


def test_a_finished_file_cannot_be_cancelled(downloads: Downloads) -> None:
    download = arrived(downloads)

    with pytest.raises(IllegalMove, match="completed"):
        downloads.queue.cancel(download)


def test_more_are_queued_at_once_than_a_statement_takes_values(
    db: Database, downloads: Downloads
) -> None:
    if not isinstance(db.dialect, PostgresqlDialect):
        pytest.skip("a statement of SQLite takes more, and here each is traced with its values")
    asked = [wanted(number) for number in range(2600)]

    added = downloads.queue.add_all(asked)

    # The whole lists, if they differ, would take minutes to tell.
    assert all(one.item_id == new.item.id for one, new in zip(added, asked, strict=True))


def test_a_cancelled_number_is_never_given_again(downloads: Downloads) -> None:
    # Part files are named by it: a left-over part must not meet a stranger's row.
    (first,) = downloads.queue.add_all([wanted(1)])
    downloads.queue.cancel(first)

    (second,) = downloads.queue.add_all([wanted(2)])

    assert second.id > first.id


@pytest.mark.parametrize("move", [Move.VANISH, Move.EVICT, Move.DELETE])
def test_a_removed_file_comes_back_when_it_is_wanted_again(
    downloads: Downloads, clock: FakeClock, move: Move
) -> None:
    there = arrived(downloads)
    assert {
        Move.VANISH: downloads.transitions.mark_missing,
        Move.EVICT: downloads.transitions.evict,
        Move.DELETE: downloads.transitions.delete,
    }[move](there)
    clock.advance(60)

    downloads.queue.add_all([], again=[WantedAgain(fresh(downloads, there), BEN, 3, 0)])

    again = fresh(downloads, there)
    assert (again.id, again.file_path) == (there.id, there.file_path)
    assert (again.status, again.user_id, again.priority) == (Status.PENDING, BEN, 3)
    assert again.queued_at == clock.now()
    assert (again.file_size, again.content_hash, again.completed_at) == (None, None, None)
    assert again.bytes_downloaded == 0


def test_a_damaged_file_is_fetched_again_and_says_why(downloads: Downloads) -> None:
    there = arrived(downloads)

    assert downloads.transitions.mark_damaged(there, TIMED_OUT)

    again = fresh(downloads, there)
    assert (again.status, again.error_code) == (Status.PENDING, "timed-out")
    assert (again.bytes_downloaded, again.file_size, again.content_hash) == (0, None, None)


def test_another_place_is_given_unless_it_is_taken(downloads: Downloads) -> None:
    (download,) = downloads.queue.add_all([wanted(1, path="a")])
    downloads.queue.add_all([wanted(2, path="b")])

    assert not downloads.queue.rename(download, FilePlace("B", "b"))
    assert downloads.queue.rename(download, FilePlace("C", "c"))

    assert fresh(downloads, download).file_path == "C"


def test_a_row_follows_its_file_to_a_free_place(downloads: Downloads, news: list[Event]) -> None:
    there = arrived(downloads)
    downloads.queue.add_all([wanted(2, path="taken")])
    news.clear()

    assert not downloads.queue.follow(there, FilePlace("TAKEN", "taken"))
    assert not downloads.queue.follow(there, FilePlace("taken/deeper", "taken/deeper"))
    assert downloads.queue.follow(there, FilePlace("elsewhere", "elsewhere"))

    moved = fresh(downloads, there)
    assert (moved.file_path, moved.status) == ("elsewhere", Status.COMPLETED)
    assert news == [DownloadChanged(moved, Status.COMPLETED, Status.COMPLETED)]
    # Somebody else has seen it there as well.
    assert downloads.queue.follow(there, FilePlace("elsewhere", "elsewhere"))
    # Its old place is free, and whoever saw it there is too late.
    downloads.queue.add_all([wanted(3, path=there.file_path)])
    assert not downloads.queue.follow(there, FilePlace("again", "again"))


def test_a_row_follows_a_change_of_case_alone(downloads: Downloads) -> None:
    there = arrived(downloads)
    shouted = there.file_path.upper()

    assert downloads.queue.follow(there, FilePlace(shouted, make_path_key(shouted)))

    assert fresh(downloads, there).file_path == shouted


def test_a_file_that_vanished_says_why_until_it_is_wanted_again(downloads: Downloads) -> None:
    there = arrived(downloads)

    assert downloads.transitions.mark_missing(
        there, code="removed-by-person", text="It was removed from the stick"
    )

    gone = fresh(downloads, there)
    assert (gone.status, gone.error_code) == (Status.REMOVED, "removed-by-person")
    downloads.transitions.want_again(gone, user_id=ANN)
    assert fresh(downloads, gone).error_message is None


def test_what_every_finished_file_should_look_like_is_told(
    downloads: Downloads, clock: FakeClock
) -> None:
    there = arrived(downloads)
    downloads.queue.add_all([wanted(2)])

    assert there.file_size is not None
    assert downloads.queries.files_on(STICK) == [
        Expected(there.id, there.file_path, there.file_size, there.content_hash, clock.now())
    ]
    assert downloads.queries.files_on(CARD) == []


def test_what_comes_next_is_what_nothing_but_its_turn_keeps(
    db: Database, downloads: Downloads, clock: FakeClock
) -> None:
    devices = (STICK, CARD, STICK, STICK, STICK, STICK, STICK)
    people = (ANN, ANN, BEN, ANN, ANN, ANN, ANN)
    asked = zip(devices, people, range(1, 8), strict=True)
    rows = downloads.queue.add_all([wanted(n, device=one, user=who) for one, who, n in asked])
    by_wish, _card, _ben, _refused, late, tried, pinned = rows
    for one, until in ((late, clock.now() + timedelta(hours=1)), (tried, None)):
        others = [row.id for row in rows if row.id != one.id]
        (begun,) = downloads.queue.claim_together(clock.now(), NotNow(downloads=others), at_most=1)
        assert downloads.transitions.postpone(begun, until=until, failure=TIMED_OUT, retry_count=1)
    Holds(db, Bus()).keep(Wish(ANN, STICK, track(7), Reason(PIN, track(7).id, "downloaded by you")))
    everything = DownloadFilter()

    def coming(which: DownloadFilter = everything, own_only: tuple[str, ...] = ()) -> list[int]:
        refused = [rows[3].id]
        not_now = NotNow(devices=[CARD], users=[BEN], downloads=refused, own_only=own_only)
        found = downloads.queries.coming(which, clock.now(), not_now, 5)
        return [one.id for one in found]

    assert coming() == [by_wish.id, pinned.id]
    assert coming(own_only=(STICK,)) == [pinned.id]
    assert coming(DownloadFilter(viewer=BEN)) == []
    assert coming(DownloadFilter(viewer=ANN)) == [by_wish.id, pinned.id]
    assert coming(DownloadFilter(left_out=frozenset({STICK}))) == []
    assert [one.id for one in downloads.queries.coming(everything, BEGIN, NotNow(), 2)] == [
        one.id for one in rows[:2]
    ]
