from __future__ import annotations

from datetime import timedelta

from sidecar.domain.items.item import Item
from sidecar.domain.items.kinds import Kind
from sidecar.domain.items.selection import Named, Selection, SelectionOrder
from sidecar.domain.rules.context import KeptSelection
from sidecar.domain.rules.library import ListedItems
from sidecar.domain.rules.selections import SelectionsSettings, make_wishes
from tests.fakes.clock import START
from tests.fakes.libraries.rule_library import RuleLibrary, context, full, named, song

JAZZ = KeptSelection(id=named("jazz"), name="Jazz", asked=Selection(genres=("Jazz",)))


def songs(count: int, **facts: object) -> list[Item]:
    return [song(str(number), "First Light", **facts) for number in range(count)]


def kept(matched: int | None, *, keeps_all: bool = False) -> KeptSelection:
    return KeptSelection(
        id=JAZZ.id, name=JAZZ.name, asked=JAZZ.asked, matched=matched, keeps_all=keeps_all
    )


def test_a_filter_that_matches_far_fewer_lets_nothing_go() -> None:
    # Files before and now, and whether what does not match any more stays.
    cases = [(None, 3, False), (6, 3, False), (7, 3, True), (1, 0, True), (0, 0, False)]
    for before, now, stays in cases:
        shelf = RuleLibrary(lists={JAZZ.id: full(*songs(now))})

        found = make_wishes(context(SelectionsSettings(), shelf, selections=(kept(before),)))

        assert [one.item.title for one in found.wishes] == [str(one) for one in range(now)]
        assert {one.reason.text for one in found.wishes} <= {"matches your filter Jazz"}
        assert (found.unsure_of == {JAZZ.id}) == stays, (before, now)
        assert [(one.files, one.is_doubtful) for one in found.matched] == [(now, stays)]


def test_a_filter_that_was_read_with_gaps_lets_nothing_go_and_is_not_counted() -> None:
    shelf = RuleLibrary(lists={JAZZ.id: ListedItems((song("1"),), complete=False)})

    found = make_wishes(context(SelectionsSettings(), shelf, selections=(kept(1),)))

    assert found.unsure_of == {JAZZ.id}
    assert found.matched == ()


def test_reading_ends_at_what_is_too_old_or_was_heard_too_recently() -> None:
    newest = [song(str(days), added_at=START - timedelta(days=days)) for days in range(9)]
    unheard = [
        song("never"),
        *(song(str(days), heard_at=START - timedelta(days=days)) for days in (90, 60, 20, 1)),
    ]
    added, longest = Selection(added_days=3), Selection(unheard_days=30)

    assert [added.begin(START)(one) for one in newest[2:6]] == [False, False, True, True]
    assert [one.title for one in added.finish(newest, START)] == ["0", "1", "2", "3"]
    assert added.reading_order is SelectionOrder.ADDED
    assert [longest.begin(START)(one) for one in unheard] == [False, False, False, True, True]
    assert {one.title for one in longest.finish(unheard, START)} == {"never", "90", "60"}
    # What the server did not tell is not of this week.
    assert added.finish([song("0")], START) == ()


def test_a_limit_counts_files_bytes_or_seconds_in_the_order_that_is_wanted() -> None:
    files = songs(9, size=10, seconds=60.0)
    big = song("big", size=1000)
    cases = [
        (Selection(most_files=3), 3),
        (Selection(most_bytes=49), 4),
        (Selection(most_seconds=60), 1),
        (Selection(most_files=5, most_bytes=20), 2),
    ]
    for asked, count in cases:
        is_past = asked.begin(START)
        assert [is_past(one) for one in files[: count + 1]] == [*[False] * count, True]
        assert len(asked.finish(files, START)) == count
    # What is larger than all that there may be is passed over.
    assert len(Selection(most_bytes=49).finish([big, *files], START)) == 4

    rated = [song(str(one), rating=float(one)) for one in (1, 9, 5)]
    libraries = (Named("1" * 32, "A"), Named("2" * 32, "B"))
    best = Selection(libraries=libraries, order=SelectionOrder.RATING, most_files=2)
    assert [one.title for one in best.finish(rated, START)] == ["9", "5"]


def test_a_shuffle_is_the_same_each_time_and_each_filter_has_its_own() -> None:
    files, asked = songs(30), Selection(order=SelectionOrder.SHUFFLED, most_files=10)
    ours, theirs = asked.finish(files, START, "ours"), asked.finish(files, START, "theirs")

    assert ours == asked.finish(files[::-1], START, "ours")
    assert len({*ours}) == len({*theirs}) == 10
    assert ours != theirs
    # All have to be read for it.
    assert not any(map(asked.begin(START), files))


def test_years_are_meant_from_either_end() -> None:
    assert list(Selection(first_year=1969, last_year=1967).years) == [1967, 1968, 1969]
    assert Selection(last_year=1901).years == range(1900, 1902)
    assert list(Selection(kinds=frozenset({Kind.FILM})).years) == []
