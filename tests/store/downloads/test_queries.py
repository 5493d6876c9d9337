from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.domain.downloads.download import MISSING, Download, Status
from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.wishes import Reason, Wish
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.formats import FormatStore
from sidecar.store.downloads.insert import NewDownload
from sidecar.store.downloads.order import NotNow
from sidecar.store.downloads.queue import Downloads
from sidecar.store.rules.holds import Holds
from tests.statements import hook
from tests.store.examples import (
    ANN,
    BEGIN,
    BEN,
    CARD,
    HASH,
    STICK,
    TIMED_OUT,
    queued,
    track,
    wanted,
)

CARA = "c" * 32
ACTIVE = frozenset({Status.PENDING, Status.DOWNLOADING, Status.PAUSED, Status.FAILED})
# SQLite is never told how many there are: it plans the same for a million.
MANY = 2000


def sized(number: int, size: int | None) -> NewDownload:
    asked = wanted(number)
    return replace(asked, item=replace(asked.item, size=size))


def hold(db: Database, user: str, number: int, device: str = STICK) -> None:
    reason = Reason("favourites", track(number).id, "your favourite")
    Holds(db, Bus()).keep(Wish(user, device, track(number), reason))


def titles(downloads: Downloads, which: DownloadFilter) -> list[str]:
    return [one.title for one in downloads.queries.page(which, 1, 100)[0]]


def test_lists_are_newest_first_and_cut_into_pages(downloads: Downloads) -> None:
    for number in range(25):
        downloads.queue.add_all([wanted(number)])

    pages = [downloads.queries.page(DownloadFilter(), page, 10) for page in (1, 2, 3, 4)]

    assert [len(rows) for rows, _ in pages] == [10, 10, 5, 0]
    assert {total for _, total in pages} == {25}
    listed = [one.title for rows, _ in pages for one in rows]
    assert listed == [f"Track {number}" for number in reversed(range(25))]


def test_pages_stay_as_they_were_while_more_is_asked_for(downloads: Downloads) -> None:
    for number in range(1, 7):
        downloads.queue.add_all([wanted(number)])
    first, _ = downloads.queries.page(DownloadFilter(), 1, 3)
    seen = DownloadFilter(as_of=first[0].id)
    downloads.queue.add_all([wanted(9)])

    second, total = downloads.queries.page(seen, 2, 3)

    assert [one.title for one in second] == ["Track 3", "Track 2", "Track 1"]
    assert total == 6


def test_a_list_can_be_in_another_order(downloads: Downloads) -> None:
    for number, size in ((1, 500), (2, 900), (10, 700)):
        downloads.queue.add_all([sized(number, size)])
    (first,) = downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.give_up(first, until=None, failure=TIMED_OUT, retry_count=3)
    downloads.queue.claim_together(BEGIN, at_most=1)

    shown = {
        sort: [one.title for one in downloads.queries.page(DownloadFilter(), 1, 10, sort=sort)[0]]
        for sort in Sort
    }

    assert shown == {
        Sort.NEWEST: ["Track 10", "Track 2", "Track 1"],
        Sort.QUEUE: ["Track 2", "Track 10", "Track 1"],
        Sort.TITLE: ["Track 1", "Track 10", "Track 2"],
        Sort.SIZE: ["Track 2", "Track 10", "Track 1"],
    }


def test_what_is_still_to_come_is_counted_in_bytes(downloads: Downloads) -> None:
    for number, size in ((1, 500), (2, 900), (3, None)):
        downloads.queue.add_all([sized(number, size)])

    assert downloads.queries.bytes_waiting(DownloadFilter()) == 1400
    assert downloads.queries.bytes_waiting(DownloadFilter(viewer=ANN)) == 1400
    elsewhere = DownloadFilter(viewer=ANN, left_out=frozenset({STICK}))
    assert downloads.queries.bytes_waiting(elsewhere) == 0
    assert downloads.queries.bytes_waiting(DownloadFilter(viewer=BEN)) == 0


def test_a_list_can_be_narrowed_down(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1)])
    downloads.queue.add_all([wanted(2)])
    downloads.queue.add_all([wanted(3, device=CARD)])
    (first,) = downloads.queue.claim_together(BEGIN, at_most=1)
    downloads.transitions.give_up(first, until=None, failure=TIMED_OUT, retry_count=3)

    assert titles(downloads, DownloadFilter(statuses=frozenset({Status.FAILED}))) == ["Track 1"]
    assert titles(downloads, DownloadFilter(statuses=ACTIVE)) == ["Track 3", "Track 2", "Track 1"]
    assert titles(downloads, DownloadFilter(device_id=CARD)) == ["Track 3"]
    assert titles(downloads, DownloadFilter(item_types=frozenset({"Movie"}))) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bjork", True),
        ("BJÖRK début", True),
        ("debut  track", True),
        ("rack 7", True),
        ("bjork volta", False),
        ("%", False),
        ("_rack", False),
        ("tr%7", False),
        ("track\0 7", True),
        ("'; DROP TABLE downloads; --", False),
        ("\\", False),
    ],
)
def test_a_search_finds_words_whatever_their_case_and_accents(
    downloads: Downloads, text: str, found: bool
) -> None:
    downloads.queue.add_all([wanted(7)])

    assert titles(downloads, DownloadFilter(text=text)) == (["Track 7"] if found else [])


def test_people_see_what_they_hold_and_what_they_asked_for_if_nobody_holds_it(
    db: Database, downloads: Downloads
) -> None:
    downloads.queue.add_all([wanted(1, user=ANN)])
    downloads.queue.add_all([wanted(2, user=ANN)])
    downloads.queue.add_all([wanted(3, user=ANN)])
    hold(db, BEN, 2)
    hold(db, ANN, 3)
    hold(db, BEN, 3)
    hold(db, CARA, 3, CARD)

    assert titles(downloads, DownloadFilter(viewer=ANN)) == ["Track 3", "Track 1"]
    assert titles(downloads, DownloadFilter(viewer=BEN)) == ["Track 3", "Track 2"]
    assert titles(downloads, DownloadFilter(viewer=CARA)) == []
    assert titles(downloads, DownloadFilter()) == ["Track 3", "Track 2", "Track 1"]


def test_an_admin_may_ask_for_one_owner_and_a_user_only_for_what_is_also_theirs(
    db: Database, downloads: Downloads
) -> None:
    downloads.queue.add_all([wanted(1, user=ANN)])
    downloads.queue.add_all([wanted(2, user=BEN)])
    hold(db, ANN, 2)
    hold(db, BEN, 2)

    assert titles(downloads, DownloadFilter(owners=frozenset({BEN}))) == ["Track 2"]
    assert titles(downloads, DownloadFilter(owners=frozenset({ANN}))) == ["Track 2", "Track 1"]
    assert titles(downloads, DownloadFilter(viewer=ANN, owners=frozenset({BEN}))) == ["Track 2"]
    assert titles(downloads, DownloadFilter(viewer=CARA, owners=frozenset({BEN}))) == []


FILTERS = st.builds(
    DownloadFilter,
    viewer=st.sampled_from([None, ANN, BEN, CARA]),
    owners=st.sampled_from([None, frozenset({ANN}), frozenset({ANN, BEN}), frozenset()]),
    device_id=st.sampled_from([None, STICK, CARD]),
    item_types=st.sampled_from([frozenset(), frozenset({"Audio"}), frozenset({"Audio", "Movie"})]),
    text=st.sampled_from(["", "track", "track 1", "nothing"]),
)
ROWS = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=15),
        st.sampled_from([ANN, BEN]),
        st.sampled_from([STICK, CARD]),
        st.sampled_from(["wait", "pause", "run", "fail", "complete", "miss"]),
        st.sets(st.sampled_from([ANN, BEN, CARA])),
    ),
    max_size=20,
)


@given(rows=ROWS, which=FILTERS)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_counts_equal_the_lists(
    db: Database,
    downloads: Downloads,
    rows: list[tuple[int, str, str, str, set[str]]],
    which: DownloadFilter,
) -> None:
    with db.write():
        db.sql("DELETE FROM downloads")
        db.sql("DELETE FROM holds")
        for number, user, device, fate, holders in rows:
            queued(downloads, wanted(number, user=user, device=device))
            befall(downloads, fate)
            for holder in holders:
                hold(db, holder, number, device)

    counts = downloads.queries.counts(which)

    assert set(counts) == {*Status, MISSING}
    for status in counts:
        narrow = DownloadFilter(
            statuses=frozenset({Status(status)} if status != MISSING else ()),
            missing=status == MISSING,
            viewer=which.viewer,
            owners=which.owners,
            device_id=which.device_id,
            item_types=which.item_types,
            text=which.text,
        )
        listed, total = downloads.queries.page(narrow, 1, 100)
        assert len(listed) == total == counts[status]
        assert all(one.missing_since is None for one in listed) or status == MISSING
    both = replace(which, statuses=frozenset({Status.COMPLETED, Status.FAILED}), missing=True)
    told = (Status.COMPLETED, Status.FAILED, MISSING)
    assert downloads.queries.page(both, 1, 1)[1] == sum(counts[one] for one in told)
    assert sum(counts.values()) == downloads.queries.page(which, 1, 1)[1]


def befall(downloads: Downloads, fate: str) -> None:
    if fate == "wait":
        return
    for download in downloads.queue.claim_together(BEGIN, at_most=1):
        befall_running(downloads, download, fate)


def befall_running(downloads: Downloads, download: Download, fate: str) -> None:
    if fate == "pause":
        downloads.transitions.pause(download)
    elif fate == "fail":
        downloads.transitions.give_up(download, until=None, failure=TIMED_OUT, retry_count=3)
    elif fate in {"complete", "miss"}:
        downloads.transitions.mark_arrived(download, size=1, content_hash=HASH, mime_type=None)
    if fate == "miss":
        files = downloads.queries.files_on(download.device_id)
        gone = [one for one in files if one.id == download.id]
        downloads.sightings.note_look(download.device_id, missing=gone, present=())


def test_places_in_the_queue_go_the_way_claims_do(downloads: Downloads) -> None:
    ids = [downloads.queue.add_all([wanted(number)])[0].id for number in range(3)]
    (urgent,) = downloads.queue.add_all([wanted(9, priority=1)])

    assert downloads.queries.positions([*ids, urgent.id]) == {
        urgent.id: 1,
        ids[0]: 2,
        ids[1]: 3,
        ids[2]: 4,
    }
    downloads.queue.claim_together(BEGIN, at_most=1)
    assert downloads.queries.positions([urgent.id, ids[2]]) == {ids[2]: 3}


def test_a_device_counts_and_lists_only_what_is_whole(downloads: Downloads) -> None:
    for number, size in ((1, 100), (2, 20), (3, 3)):
        downloads.queue.add_all([wanted(number)])
        (download,) = downloads.queue.claim_together(BEGIN, at_most=1)
        if number != 2:
            downloads.transitions.mark_arrived(
                download, size=size, content_hash=HASH, mime_type=None
            )

    assert downloads.queries.bytes_on_device(STICK) == 103
    assert downloads.queries.bytes_on_device(CARD) == 0


def fill(db: Database, count: int) -> None:
    """Two hundred in the queue, the rest completed; Ann and Ben hold a quarter each."""
    with db.write():
        db.sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO downloads (item_id, device_id, user_id, status, title, item_type,"
            " search_key, file_path, path_key, file_size, priority, queued_at, format)"
            " SELECT printf('%032x', i), ?, ?, iif(i % (? / 200) = 0, 'pending', 'completed'),"
            " 'Track ' || i, 'Audio', 'track ' || i, 'a/' || i, 'a/' || i, 1000, 0, i, 'original'"
            " FROM n",
            (count, STICK, ANN, count),
        )
        db.sql(
            "INSERT INTO holds (user_id, device_id, item_id, rule, source_id, text)"
            " SELECT iif(id % 4, ?, ?), device_id, item_id, 'favourites', item_id, ''"
            " FROM downloads WHERE id % 2",
            (ANN, BEN),
        )


Ask = Callable[[Downloads], object]
QUEUE = DownloadFilter(statuses=ACTIVE - {Status.FAILED})
NEXT = DownloadFilter(statuses=frozenset({Status.DOWNLOADING, Status.PENDING}))
SEARCHED = DownloadFilter(statuses=frozenset({Status.COMPLETED}), text="tone")

LISTS = [
    DownloadFilter(statuses=statuses, viewer=viewer, device_id=device)
    for statuses, viewer, device in product(
        [frozenset[Status](), frozenset({Status.COMPLETED}), ACTIVE], [None, BEN], [None, STICK]
    )
]


def plans(db: Database, ask: Callable[[], object]) -> list[list[str]]:
    """Ask, and return how SQLite goes about each query that was needed."""
    seen: list[tuple[str, Sequence[object]]] = []
    end = hook(db, lambda sql, values: seen.append((sql, values)))
    ask()
    end()
    return [
        [row[3] for row in db.sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        for sql, parameters in seen
        if sql.split()[0] in {"SELECT", "UPDATE", "WITH"}
    ]


def looks_at_all_rows(step: str) -> bool:
    """Whether a step of a plan reads the whole table, not an index nor the end of the list."""
    few = ("json_each", "sqlite_sequence", "tallies", "chosen", "listed")
    return step.startswith("SCAN") and "INDEX" not in step and not any(one in step for one in few)


@pytest.mark.sqlite
def test_no_list_reads_everything_to_sort_it(db: Database, downloads: Downloads) -> None:
    fill(db, MANY)

    for which in LISTS:
        found = plans(db, lambda which=which: downloads.queries.page(which, 1, 10))  # type: ignore[misc]

        assert found
        for steps in found:
            sorts = any("TEMP B-TREE FOR ORDER BY" in step for step in steps)
            assert not (sorts and any(map(looks_at_all_rows, steps))), (which, steps)
    tab = DownloadFilter(statuses=frozenset({Status.COMPLETED}))
    for steps in plans(db, lambda: downloads.queries.page(tab, 1, 10)):
        if not any("tallies" in step for step in steps):
            assert "TEMP B-TREE" not in " ".join(steps)


@pytest.mark.sqlite
@pytest.mark.parametrize("viewer", [None, BEN])
def test_numbers_of_all_on_some_devices_are_read_from_what_triggers_keep(
    db: Database, downloads: Downloads, viewer: str | None
) -> None:
    fill(db, MANY)
    which = DownloadFilter(viewer=viewer, left_out=frozenset({CARD}))

    found = plans(
        db,
        lambda: (
            downloads.queries.by_device(viewer, which.left_out),
            downloads.queries.counts(which),
            downloads.queries.number(Status.FAILED, which),
        ),
    )

    kept = "tallies" if viewer is None else "own_tallies"
    steps = [step for plan in found for step in plan]
    assert sum(f" {kept}" in step for step in steps) == 3
    # Of the downloads only the few that are missing, and the last to arrive.
    few = ("downloads_missing", "downloads_by_arrival", "PRIMARY KEY")
    assert not [one for one in steps if " d " in one and not any(name in one for name in few)]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "ask",
    [
        lambda them: them.queries.get(7),
        lambda them: them.queries.by_item(STICK, "7"),
        lambda them: them.queue.claim_together(
            BEGIN, NotNow(devices=[CARD], users=[BEN], downloads=[7]), at_most=1
        ),
        lambda them: them.queries.failed_and_due(BEGIN),
        lambda them: them.queue.recover(),
        lambda them: them.queries.bytes_on_device(STICK),
        lambda them: them.queries.files_on(STICK),
        lambda them: them.queue.add_all([wanted(30_000)]),
        lambda them: them.transitions.record_synced(7, 100),
    ],
)
def test_what_the_queue_asks_all_day_goes_by_an_index_and_sorts_nothing(
    db: Database, downloads: Downloads, ask: Ask
) -> None:
    fill(db, MANY)

    found = plans(db, lambda: ask(downloads))

    assert found
    for steps in found:
        assert not any(map(looks_at_all_rows, steps)), steps
        assert not any("TEMP B-TREE" in step for step in steps), steps


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda them, _: them.queries.bytes_waiting(DownloadFilter()), "downloads_to_fetch"),
        (lambda them, _: them.queries.bytes_waiting(DownloadFilter(viewer=ANN)), "owned_by_user"),
        (
            lambda _, db: FormatStore(db).others({STICK: ("opus", None)}),
            "downloads_by_format (device_id=? AND format>?)",
        ),
        (lambda _, db: FormatStore(db).align(STICK, "opus"), "downloads_by_status"),
        (lambda them, _: them.queries.page(QUEUE, 1, 10, sort=Sort.QUEUE), "downloads_in_turn"),
        (lambda them, _: them.queries.page(NEXT, 1, 10, sort=Sort.QUEUE), "downloads_in_turn"),
        (lambda them, _: them.titles.page(QUEUE, 1, 10, sort=Sort.QUEUE), "downloads_in_turn"),
        (lambda them, _: them.titles.page(SEARCHED, 1, 10), "downloads_by_title"),
        (lambda them, _: them.titles.page(QUEUE, 1, 10, sort=Sort.TITLE), "downloads_by_title"),
    ],
)
def test_what_pages_ask_goes_by_the_index_made_for_it(
    db: Database, downloads: Downloads, ask: Callable[[Downloads, Database], object], index: str
) -> None:
    fill(db, MANY)

    steps = [step for plan in plans(db, lambda: ask(downloads, db)) for step in plan]

    assert any(index in step for step in steps), steps
    # By these SQLite would read each row of a state, or each that has copies.
    slow = ("downloads_by_size", "SCAN d USING INDEX downloads_with_copies")
    assert not any(one in step for one in slow for step in steps), steps
