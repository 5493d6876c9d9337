"""What the last look saw is one stored fact, and every list, count and sum obeys it."""

from __future__ import annotations

import pytest

from sidecar.domain.downloads.download import Status
from sidecar.domain.files.removals import Expected
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.events import Bus, DeviceChanged, DownloadChanged, Event
from sidecar.store.accounts.accounts import Accounts
from sidecar.store.accounts.usage import UsageByAccount
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.formats import FormatStore
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.downloads.inventory import Inventory
from sidecar.store.downloads.queries import DeviceState
from sidecar.store.downloads.queue import Downloads
from sidecar.store.files.albums import AlbumIndex
from sidecar.store.files.completed import CompletedFiles
from sidecar.store.files.search import FileIndex
from sidecar.store.rules.playlist_orders import PlaylistOrders
from tests.fakes.clock import FakeClock
from tests.statements import trace
from tests.store.accounts.test_accounts import ANNS
from tests.store.downloads.test_queries import MANY, fill, hold, looks_at_all_rows, plans
from tests.store.examples import ANN, BEGIN, HASH, STICK, wanted

PUT_BACK = Failure(FailureClass.TRANSIENT, "put-back", "It was missing: it is fetched again")


def complete(downloads: Downloads, *numbers: int) -> list[Expected]:
    for number in numbers:
        downloads.queue.add_all([wanted(number)])
        (found,) = downloads.queue.claim_together(BEGIN, at_most=1)
        downloads.transitions.mark_arrived(found, size=100, content_hash=HASH, mime_type=None)
    return downloads.queries.files_on(STICK)


def miss(downloads: Downloads, *files: Expected) -> int:
    return downloads.sightings.note_look(STICK, missing=files, present=())


def test_a_file_is_missing_since_the_first_look_that_did_not_see_it(
    downloads: Downloads, clock: FakeClock
) -> None:
    one, two = complete(downloads, 1, 2)
    since = clock.now()

    assert miss(downloads, one) == 1
    clock.advance(600)
    assert (
        miss(downloads, *[each for each in downloads.queries.files_on(STICK) if each.id == one.id])
        == 0
    )

    found = downloads.queries.get(one.id)
    assert found is not None
    assert (found.missing_since, found.status) == (since, Status.COMPLETED)
    assert not found.is_present
    use = downloads.queries.use_of(STICK)
    assert (use.files, use.missing) == (2, 1)
    assert use.bytes_missing == 100
    assert [each.is_missing for each in downloads.queries.files_on(STICK)] == [True, False]
    other = downloads.queries.get(two.id)
    assert other is not None
    assert other.is_present


def test_a_file_that_is_seen_again_is_there_and_nothing_is_asked_of_it(
    downloads: Downloads,
) -> None:
    (one,) = complete(downloads, 1)
    miss(downloads, one)
    downloads.sightings.ask_about(STICK, {one.id})
    (gone,) = downloads.queries.files_on(STICK)
    assert gone.is_asked_about

    assert downloads.sightings.note_look(STICK, missing=(), present=[gone]) == 1

    (back,) = downloads.queries.files_on(STICK)
    assert (back.is_missing, back.is_asked_about) == (False, False)


def test_nothing_is_asked_of_a_file_that_is_there(downloads: Downloads) -> None:
    (one,) = complete(downloads, 1)

    downloads.sightings.ask_about(STICK, {one.id})

    assert [each.is_asked_about for each in downloads.queries.files_on(STICK)] == [False]


def test_each_end_of_a_file_ends_that_it_is_missing(downloads: Downloads) -> None:
    files = complete(downloads, 1, 2)
    miss(downloads, *files)
    downloads.sightings.ask_about(STICK, {one.id for one in files})
    first, second = (downloads.queries.get(one.id) for one in files)
    assert first is not None
    assert second is not None

    downloads.transitions.mark_missing(first)
    downloads.transitions.mark_damaged(second, PUT_BACK)

    for one in files:
        row = downloads.queries.get(one.id)
        assert row is not None
        assert row.missing_since is None
    assert downloads.queries.counts(DownloadFilter())["missing"] == 0
    (again,) = downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.mark_arrived(again, size=100, content_hash=HASH, mime_type=None)
    (there,) = downloads.queries.files_on(STICK)
    assert (there.is_missing, there.is_asked_about) == (False, False)


def test_a_look_says_nothing_of_a_file_that_was_fetched_anew_since(
    downloads: Downloads, clock: FakeClock
) -> None:
    (seen,) = complete(downloads, 1)
    row = downloads.queries.get(seen.id)
    assert row is not None
    downloads.transitions.mark_damaged(row, PUT_BACK)
    clock.advance(5)
    (again,) = downloads.queue.claim_together(clock.now(), at_most=1)
    downloads.transitions.mark_arrived(again, size=100, content_hash=HASH, mime_type=None)

    assert miss(downloads, seen) == 0


def test_a_look_says_nothing_of_a_file_that_was_renamed_since(downloads: Downloads) -> None:
    (seen,) = complete(downloads, 1)
    row = downloads.queries.get(seen.id)
    assert row is not None
    assert downloads.queue.follow(row, FilePlace("new", "new"))

    assert miss(downloads, seen) == 0

    (there,) = downloads.queries.files_on(STICK)
    assert (there.path, there.is_missing) == ("new", False)


def test_a_file_that_was_found_elsewhere_is_there(downloads: Downloads, news: list[Event]) -> None:
    """A look in the middle of a rename finds it at neither place; nobody waits for the next."""
    (seen,) = complete(downloads, 1)
    miss(downloads, seen)
    downloads.sightings.ask_about(STICK, {seen.id})
    row = downloads.queries.get(seen.id)
    assert row is not None
    news.clear()

    assert downloads.queue.follow(row, FilePlace("new", "new"))

    (there,) = downloads.queries.files_on(STICK)
    assert (there.path, there.is_missing, there.is_asked_about) == ("new", False, False)
    (told,) = news
    assert isinstance(told, DownloadChanged)
    assert told.download.is_present


def test_it_is_told_once_for_a_device_and_only_if_something_changed(
    downloads: Downloads, news: list[Event]
) -> None:
    files = complete(downloads, 1, 2, 3)
    news.clear()

    miss(downloads, *files)
    miss(downloads, *downloads.queries.files_on(STICK))

    assert news == [DeviceChanged(STICK)]


def test_nothing_counts_as_there_that_is_missing(db: Database, downloads: Downloads) -> None:
    files = complete(downloads, 1, 2, 3)
    for number in (1, 2, 3):
        hold(db, ANN, number)
    miss(downloads, *files[1:])

    offline, everything = FileIndex(db), DownloadFilter()
    for which in (everything, DownloadFilter(text="track"), DownloadFilter(viewer=ANN)):
        assert [one.id for one in offline.page(which, 1, 10)[0]] == [files[0].id]
        assert offline.page(which, 1, 10)[1] == 1
        assert offline.missing(which) == 2
    assert AlbumIndex(db).numbers(everything).files == 1
    listed = CompletedFiles(db)
    (shown,), (told,) = listed.files(STICK), listed.each_file(STICK)
    assert shown.path == told.path == files[0].path
    assert (shown.title, shown.size) == (told.title, told.size) == ("Track 1", 100)
    assert len(CompletedFiles(db).paths(STICK)) == 3
    assert UsageByAccount(db).measure()[ANN] == (1, 100)
    formats = FormatStore(db)
    assert [
        len(formats.others({STICK: (one, None)}).get(STICK, ())) for one in ("a", "original", "z")
    ] == [1, 0, 1]
    assert formats.in_format(STICK, "original") == [files[0].id]
    stored = Inventory(db).list_holdings(STICK, BEGIN).stored
    assert {one.download_id for one in stored if not one.is_missing} == {files[0].id}
    assert len(stored) == 3
    Accounts(db).save(ANNS)
    lists = PlaylistOrders(db, Bus())
    lists.learn(ANN, "f" * 32, [f"{number:032x}" for number in (1, 2, 3)])
    assert all(entry.path == files[0].path for entry in lists.entries(ANN, "f" * 32, STICK))


@pytest.mark.sqlite
@pytest.mark.parametrize("viewer", [None, ANN])
@pytest.mark.parametrize("device", [None, STICK])
def test_no_list_of_missing_files_reads_everything(
    db: Database, downloads: Downloads, viewer: str | None, device: str | None
) -> None:
    fill(db, MANY)
    with db.write():
        db.sql("UPDATE downloads SET missing_since = 1 WHERE status = 'completed' AND id % 50 = 0")
    which = DownloadFilter(missing=True, viewer=viewer, device_id=device)

    steps = plans(
        db, lambda: (downloads.queries.page(which, 1, 10), downloads.queries.counts(which))
    )

    assert not [step for plan in steps for step in plan if looks_at_all_rows(step)]


@pytest.mark.sqlite
def test_the_numbers_of_a_device_come_from_indexes_alone(
    db: Database, downloads: Downloads
) -> None:
    fill(db, MANY)
    seen: list[str] = []
    trace(db, seen.append)
    downloads.queries.use_of(STICK)
    trace(db, None)

    (asked,) = (sql for sql in seen if sql.startswith("SELECT"))
    steps = [row[3] for row in db.sql(f"EXPLAIN QUERY PLAN {asked}")]
    read = [step for step in steps if "downloads" in step]
    assert len(read) == 2
    assert all("USING COVERING INDEX" in step for step in read), steps


def test_the_files_of_a_device_are_read_some_at_a_time(downloads: Downloads) -> None:
    files = complete(downloads, 1, 2, 3, 4, 5)

    found = list(downloads.queries.some_files_on(STICK, at_once=2))

    assert [len(some) for some in found] == [2, 2, 1]
    assert [one for some in found for one in some] == files


@pytest.mark.parametrize("viewer", [None, ANN])
def test_how_a_device_stands_is_told_without_what_is_missing(
    downloads: Downloads, clock: FakeClock, viewer: str | None
) -> None:
    complete(downloads, 1, 2)
    before = clock.now()
    clock.advance(60)
    newest = complete(downloads, 3)[-1]
    downloads.queue.add_all([wanted(4)])
    assert downloads.queries.by_device(viewer) == {
        STICK: DeviceState({Status.COMPLETED: 3, Status.PENDING: 1}, clock.now())
    }

    miss(downloads, newest)

    assert downloads.queries.by_device(viewer) == {
        STICK: DeviceState({Status.COMPLETED: 2, Status.PENDING: 1}, before)
    }
    assert downloads.queries.by_device("f" * 32) == {}
    assert downloads.queries.by_device(viewer, frozenset({STICK})) == {}
