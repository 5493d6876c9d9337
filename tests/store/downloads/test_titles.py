"""What several devices want of one item is listed together, whatever the order and the filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.downloads.sorting import Sort
from sidecar.store.database import Database
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.queue import Downloads
from tests.store.downloads.test_queries import (
    ACTIVE,
    FILTERS,
    MANY,
    ROWS,
    befall,
    fill,
    hold,
    looks_at_all_rows,
    plans,
)
from tests.store.examples import ANN, BEN, CARD, STICK, queued, wanted

PAGE = 3


def together(rows: Sequence[Download]) -> list[list[int]]:
    """The ids of a list, those of an item where the first of them stands."""
    found: dict[str, list[int]] = {}
    for one in rows:
        found.setdefault(one.item_id, []).append(one.id)
    return [sorted(ids) for ids in found.values()]


def ids(rows: Sequence[Sequence[Download]]) -> list[list[int]]:
    return [[one.id for one in row] for row in rows]


STATUSES = st.sampled_from(
    [frozenset[Status](), ACTIVE, frozenset({Status.COMPLETED}), frozenset({Status.PENDING})]
)


ASKS = st.tuples(FILTERS, STATUSES, st.booleans(), st.sampled_from(Sort))


@given(rows=ROWS, asked=ASKS)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_titles_are_the_downloads_of_the_list_put_together(
    db: Database,
    downloads: Downloads,
    rows: list[tuple[int, str, str, str, set[str]]],
    asked: tuple[DownloadFilter, frozenset[Status], bool, Sort],
) -> None:
    which, statuses, missing, sort = asked
    with db.write():
        db.sql("DELETE FROM downloads")
        db.sql("DELETE FROM holds")
        for number, user, device, fate, holders in rows:
            # Few items, so that most are on both devices; not all of one size.
            queued(downloads, wanted(number % 5, user=user, device=device, priority=number))
            befall(downloads, fate)
            for holder in holders:
                hold(db, holder, number % 5, device)
    narrow = replace(which, statuses=statuses, missing=missing)
    listed, files = downloads.queries.page(narrow, 1, 100, sort=sort)
    expected = together(listed)

    pages = [downloads.titles.page(narrow, page, PAGE, sort=sort) for page in (1, 2, 3)]

    assert [row for page in pages for row in ids(page.rows)] == expected
    assert [len(page.rows) for page in pages] == [
        min(max(len(expected) - before, 0), PAGE) for before in (0, PAGE, 2 * PAGE)
    ]
    assert {(page.files, page.total) for page in pages} == {(files, len(expected))}
    first_of = {one.item_id: one.id for one in reversed(listed)}
    for page, row in zip(pages, expected[PAGE::PAGE], strict=False):
        assert page.following is not None
        assert page.following.id in row
        assert page.following.id == first_of[page.following.item_id]
    for place, row in enumerate(expected, 1):
        assert {downloads.titles.rank(narrow, one, sort=sort) for one in row} == {place}


def test_a_title_stands_where_the_first_of_its_downloads_stands(downloads: Downloads) -> None:
    for number in (1, 2, 3):
        downloads.queue.add_all([wanted(number)])
    downloads.queue.add_all([wanted(3, device=CARD, priority=5)])
    downloads.queue.add_all([wanted(1, device=CARD)])
    every = DownloadFilter()

    in_turn = downloads.titles.page(every, 1, 2, sort=Sort.QUEUE)
    newest = [downloads.titles.page(every, page, 1) for page in (1, 2, 3)]

    assert ids(in_turn.rows) == [[3, 4], [1, 5]]
    assert [ids(one.rows) for one in newest] == [[[1, 5]], [[3, 4]], [[2]]]
    # Not the copy with the lower number.
    assert [one.following and one.following.id for one in newest] == [4, 2, None]


def test_a_title_has_only_those_of_its_downloads_that_the_list_has(downloads: Downloads) -> None:
    downloads.queue.add_all([wanted(1, user=ANN)])
    befall(downloads, "pause")
    downloads.queue.add_all([wanted(1, user=BEN, device=CARD)])

    for which in (
        DownloadFilter(viewer=BEN),
        DownloadFilter(device_id=CARD),
        DownloadFilter(statuses=frozenset({Status.PENDING})),
    ):
        assert ids(downloads.titles.page(which, 1, 10).rows) == [[2]]
    assert ids(downloads.titles.page(DownloadFilter(), 1, 10).rows) == [[1, 2]]


@pytest.mark.parametrize("fates", [("miss", "miss"), ("miss", "complete")])
def test_missing_copies_that_have_some_words_are_one_title(
    downloads: Downloads, fates: tuple[str, str]
) -> None:
    for device, fate in zip((STICK, CARD), fates, strict=True):
        downloads.queue.add_all([wanted(1, device=device)])
        befall(downloads, fate)

    for which in (
        DownloadFilter(text="track"),
        DownloadFilter(text="track", statuses=frozenset({Status.COMPLETED}), missing=True),
    ):
        found = downloads.titles.page(which, 1, 10)
        assert (ids(found.rows), found.files, found.total) == ([[1, 2]], 2, 1)
    missing = downloads.titles.page(DownloadFilter(text="track", missing=True), 1, 10)
    assert (missing.files, missing.total) == (fates.count("miss"), 1)


@pytest.mark.parametrize(("viewer", "files", "titles"), [(None, 5, 3), (ANN, 3, 2), (BEN, 4, 3)])
def test_titles_of_files_that_are_there_are_as_many_as_a_person_has(
    db: Database, downloads: Downloads, viewer: str | None, files: int, titles: int
) -> None:
    for number, device, user, fate in (
        (1, STICK, ANN, "complete"),
        (1, CARD, ANN, "complete"),
        (2, STICK, BEN, "complete"),
        (2, CARD, BEN, "miss"),
        (3, STICK, ANN, "complete"),
        (3, CARD, BEN, "complete"),
        (4, STICK, ANN, "pause"),
    ):
        downloads.queue.add_all([wanted(number, user=user, device=device)])
        befall(downloads, fate)
    for person in (ANN, BEN):
        for device in (STICK, CARD):
            hold(db, person, 1, device)
    which = DownloadFilter(statuses=frozenset({Status.COMPLETED}), viewer=viewer)
    found = downloads.titles.page(which, 1, 10)

    assert (found.files, found.total, len(found.rows)) == (files, titles, titles)


def test_what_is_not_in_a_list_has_no_place_in_it(downloads: Downloads) -> None:
    mine, theirs = (
        downloads.queue.add_all([wanted(1, user=user, device=device)])[0]
        for user, device in ((ANN, STICK), (BEN, CARD))
    )

    assert downloads.titles.rank(DownloadFilter(viewer=ANN), mine.id, sort=Sort.QUEUE) == 1
    assert downloads.titles.rank(DownloadFilter(viewer=ANN), theirs.id, sort=Sort.QUEUE) is None


BY_ID = "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)"


@pytest.mark.sqlite
@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("viewer", [None, ANN])
def test_copies_are_looked_up_and_no_list_is_read_to_be_sorted(
    db: Database, downloads: Downloads, sort: Sort, viewer: str | None
) -> None:
    fill(db, MANY)
    for statuses in (frozenset({Status.COMPLETED}), ACTIVE):
        which = DownloadFilter(statuses=statuses, viewer=viewer)

        found = plans(db, lambda which=which: downloads.titles.page(which, 1, 10, sort=sort))  # type: ignore[misc]

        of_copies = [step for steps in found for step in steps if step.startswith("SEARCH copy")]
        assert of_copies
        assert all("downloads_with_copies (item_id=?" in step for step in of_copies)
        # What is shown is read by its ids, and not found among all of its state once more.
        (cut,) = (steps for steps in found if any("chosen" in step for step in steps))
        assert [step for step in cut if " d USING" in step][1:] == [BY_ID]
        for steps in found:
            sorts = any("TEMP B-TREE FOR ORDER BY" in step for step in steps)
            assert not (sorts and any(map(looks_at_all_rows, steps))), steps


@pytest.mark.sqlite
@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.TITLE])
def test_for_a_few_with_some_words_all_texts_are_read_once(
    db: Database, downloads: Downloads, sort: Sort
) -> None:
    fill(db, MANY)
    few = DownloadFilter(statuses=frozenset({Status.COMPLETED}), text="track 123")

    with db.look():
        found = plans(db, lambda: downloads.titles.page(few, 1, 10, sort=sort))

    steps = [step for plan in found for step in plan]
    assert [one for one in steps if "downloads_by_title" in one] == [
        "SCAN d USING COVERING INDEX downloads_by_title"
    ]
    assert not any(map(looks_at_all_rows, steps)), steps
