from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.files.removals import (
    GRACE_S,
    Decision,
    Expected,
    FileChange,
    FileStat,
    NotAFile,
    PendingChange,
    Seen,
    Stranger,
    decide,
    find_suspects,
    is_in_trash,
    is_many,
    match_known,
    match_moved,
    to_read,
    was_written_since,
)

DONE = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
DONE_NS = int(DONE.timestamp()) * 10**9
OURS = FileStat(100, DONE_NS, 7)
LATER = FileStat(100, DONE_NS + 60 * 10**9, 7)
SHORTER = FileStat(99, DONE_NS, 7)
SIGHTS = (NotAFile.ABSENT, NotAFile.OTHER, NotAFile.UNKNOWN, OURS, SHORTER, LATER)


def ours(number: int, path: str | None = None, content_hash: str | None = None) -> Expected:
    return Expected(
        number, path or f"Album/{number}.flac", 100, content_hash or f"hash-{number}", DONE
    )


@pytest.mark.parametrize(
    ("seen", "unlike", "is_suspect"),
    [
        (OURS, False, False),
        (LATER, False, False),
        (LATER, True, True),
        (SHORTER, False, True),
        (NotAFile.ABSENT, False, True),
        (NotAFile.OTHER, False, True),
        (NotAFile.UNKNOWN, False, False),
        (NotAFile.UNKNOWN, True, False),
    ],
)
def test_what_is_not_as_it_was_is_suspect_and_what_cannot_be_told_never_is(
    seen: Seen, unlike: bool, is_suspect: bool
) -> None:
    found = find_suspects([ours(1)], {"Album/1.flac": seen}, {1} if unlike else ())

    assert found == ({1: seen} if is_suspect else {})


@pytest.mark.parametrize(
    ("seen", "before", "is_read"),
    [
        (OURS, None, False),
        (OURS, OURS, False),
        (LATER, None, True),
        (LATER, OURS, True),
        (LATER, LATER, False),
        (FileStat(100, DONE_NS, 8), OURS, True),
        (SHORTER, OURS, False),
        (NotAFile.ABSENT, OURS, False),
    ],
)
def test_only_what_somebody_may_have_written_to_is_read(
    seen: Seen, before: FileStat | None, is_read: bool
) -> None:
    asked = to_read([ours(1)], {"Album/1.flac": seen}, {1: before} if before else {})

    assert [file.id for file, _facts in asked] == ([1] if is_read else [])


@pytest.mark.parametrize(
    ("seen", "is_read"), [(FileStat(100, DONE_NS, 8), False), (LATER, True), (OURS, False)]
)
def test_another_number_says_nothing_where_files_do_not_keep_theirs(
    seen: Seen, is_read: bool
) -> None:
    asked = to_read([ours(1)], {"Album/1.flac": seen}, {1: OURS}, keeps_numbers=False)

    assert [file.id for file, _facts in asked] == ([1] if is_read else [])


@pytest.mark.parametrize(
    ("seconds", "later"),
    [
        (-3600, False),
        (0, False),
        (2, False),
        (5, True),
        (1800, True),
        (3500, True),
        # One hour later by the clock on the wall, and seconds before it was finished.
        (3570, False),
        (3602, False),
        (3610, True),
        (14 * 3600 - 10, False),
        (15 * 3600 - 10, True),
        (86400, True),
    ],
)
def test_the_coarse_and_local_times_of_sticks_are_no_change(seconds: int, later: bool) -> None:
    assert was_written_since(FileStat(1, DONE_NS + seconds * 10**9, 1), DONE) is later


@pytest.mark.parametrize(("year_s", "later"), [(10**12, True), (-(10**12), False)])
def test_a_time_that_is_in_no_calendar_is_before_or_after(year_s: int, later: bool) -> None:
    assert was_written_since(FileStat(1, year_s * 10**9, 1), DONE) is later


@pytest.mark.parametrize(
    ("count", "total", "many"),
    [(5, 5, False), (6, 6, True), (8, 40, False), (9, 40, True), (2000, 10_000, False)],
)
def test_more_than_five_and_a_fifth_are_many(count: int, total: int, many: bool) -> None:
    assert is_many(count, total) is many


@pytest.mark.parametrize(
    "name", [".Trash-1000", ".Trashes", "$RECYCLE.BIN", "#recycle", ".trashed-17-Song.flac"]
)
def test_a_waste_bin_is_no_place_that_somebody_moved_a_file_to(name: str) -> None:
    assert is_in_trash(name)


def test_an_album_called_trash_is_no_waste_bin() -> None:
    assert not is_in_trash("Trash")


def test_a_file_is_known_again_by_what_it_was_without_being_read() -> None:
    there = [Stranger("Elsewhere/x.flac", OURS), Stranger("Other/y.flac", SHORTER)]

    assert match_known([ours(1), ours(2)], there, {1: OURS}) == {1: "Elsewhere/x.flac"}


def test_two_names_for_one_file_are_not_known_apart() -> None:
    there = [Stranger("a.flac", OURS), Stranger("b.flac", OURS)]

    assert match_known([ours(1)], there, {1: OURS}) == {}


@pytest.mark.parametrize(
    ("missing", "hashes", "expected"),
    [
        ([ours(1)], {"x.flac": "hash-1"}, {1: "x.flac"}),
        ([ours(1)], {"x.flac": "hash-2"}, {}),
        ([ours(1)], {}, {}),
        ([ours(1)], {"x.flac": "hash-1", "y.flac": "hash-1"}, {}),
        ([ours(1)], {"x/1.flac": "hash-1", "y.flac": "hash-1"}, {1: "x/1.flac"}),
        ([ours(1), ours(2, content_hash="hash-1")], {"x.flac": "hash-1"}, {}),
        (
            [ours(1), ours(2, content_hash="hash-1")],
            {"x/2.flac": "hash-1", "x/1.flac": "hash-1"},
            {1: "x/1.flac", 2: "x/2.flac"},
        ),
        ([ours(1), ours(2)], {"x": "hash-2", "y": "hash-1"}, {1: "y", 2: "x"}),
        ([Expected(1, "a", 100, None, None)], {"x": "hash-1"}, {}),
    ],
)
def test_a_row_follows_only_where_there_is_no_doubt(
    missing: list[Expected], hashes: dict[str, str], expected: dict[int, str]
) -> None:
    assert match_moved(missing, hashes) == expected


def missing_since(since: float, *ids: int) -> dict[int, PendingChange]:
    return {one: PendingChange(NotAFile.ABSENT, since) for one in ids}


@pytest.mark.parametrize(
    ("suspected", "doubts", "expected"),
    [
        ({}, missing_since(0, 1), Decision()),
        ({1: NotAFile.ABSENT}, {}, Decision(doubts=missing_since(100, 1))),
        ({1: NotAFile.ABSENT}, missing_since(99, 1), Decision(doubts=missing_since(99, 1))),
        ({1: NotAFile.ABSENT}, missing_since(90, 1), Decision(sure=missing_since(90, 1))),
        # Put back as another file, as editors do: counted from anew.
        ({1: SHORTER}, missing_since(90, 1), Decision(doubts={1: PendingChange(SHORTER, 100)})),
        (
            {1: SHORTER},
            {1: PendingChange(SHORTER, 90)},
            Decision(sure={1: PendingChange(SHORTER, 90)}),
        ),
    ],
)
def test_only_what_two_looks_found_alike_is_sure(
    suspected: dict[int, Seen], doubts: dict[int, PendingChange], expected: Decision
) -> None:
    assert decide(suspected, doubts, now=100, total=40) == expected


def test_many_at_once_are_asked_about_and_nothing_is_sure() -> None:
    gone = dict.fromkeys(range(9), NotAFile.ABSENT)
    doubts = missing_since(0, *range(9))

    decision = decide(gone, doubts, now=100, total=40)

    assert (decision.ask, decision.sure) == (doubts, {})


def test_a_large_deletion_that_has_only_begun_is_not_taken_piece_by_piece() -> None:
    gone = dict.fromkeys(range(9), NotAFile.ABSENT)

    decision = decide(gone, missing_since(90, 1, 2), now=100, total=40)

    assert decision.sure == {}
    assert set(decision.ask) == {1, 2}


def test_a_deletion_that_goes_on_slowly_belongs_to_what_was_recorded_a_moment_ago() -> None:
    gone = dict.fromkeys(range(4), NotAFile.ABSENT)

    decision = decide(gone, missing_since(0, *range(4)), now=100, total=35, lately=5)

    assert set(decision.ask) == set(range(4))


def test_a_question_stays_one_while_somebody_brings_the_files_back() -> None:
    decision = decide(
        {1: NotAFile.ABSENT}, missing_since(0, 1), now=100, total=40, asked=set(range(12))
    )

    assert (set(decision.ask), decision.sure) == ({1}, {})


def test_something_else_at_the_place_is_an_edit_and_nothing_there_is_gone() -> None:
    fates = [PendingChange(seen, 0).fate for seen in (NotAFile.ABSENT, NotAFile.OTHER, SHORTER)]

    assert fates == [FileChange.GONE, FileChange.EDITED, FileChange.EDITED]


looks = st.lists(
    st.tuples(st.integers(1, 12), st.lists(st.sampled_from(SIGHTS), min_size=8, max_size=8)),
    max_size=6,
)


@given(looks)
def test_nothing_is_ever_recorded_on_one_look_nor_many_at_once(
    told: list[tuple[int, list[Seen]]],
) -> None:
    files = [ours(number) for number in range(8)]
    now, doubts, asked = 0.0, dict[int, PendingChange](), set[int]()
    history: list[tuple[float, dict[int, Seen]]] = []
    for wait, sights in told:
        now += wait
        seen = {file.path: sight for file, sight in zip(files, sights, strict=True)}
        suspected = find_suspects(files, seen, {one.id for one in files if seen[one.path] == LATER})
        decision = decide(suspected, doubts, now=now, total=len(files), asked=asked)
        history.append((now, {file.id: seen[file.path] for file in files}))

        assert not set(decision.sure) & (set(decision.ask) | set(decision.doubts))
        assert len(decision.sure) <= 5
        assert set(decision.sure) | set(decision.doubts) == set(suspected)
        for file_id, doubt in (*decision.sure.items(), *decision.ask.items()):
            since = [at for at, states in history if states[file_id] == doubt.seen]
            assert doubt.seen is not NotAFile.UNKNOWN
            assert min(since) <= now - GRACE_S
            unbroken = [states[file_id] for at, states in history if at >= doubt.since]
            assert set(unbroken) == {doubt.seen}
        doubts, asked = dict(decision.doubts), set(decision.ask)


def test_the_grace_fits_into_fifteen_seconds_with_a_second_for_each_look() -> None:
    assert timedelta(seconds=GRACE_S + 3) < timedelta(seconds=15)
