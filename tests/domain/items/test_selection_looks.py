from __future__ import annotations

from sidecar.domain.items.selection import Selection, SelectionOrder
from sidecar.domain.items.selection_looks import (
    MANY_ENTRIES,
    MANY_REST_S,
    READ_AGAIN_S,
    LastReading,
    LibraryState,
)

JAZZ, FOLK = Selection(genres=("Jazz",)), Selection(genres=("Folk",))
AS_IT_WAS, GROWN = (LibraryState(7, "a"),), (LibraryState(8, "b"),)
AT = 1000.0
LONG_AGO, HEARD = AT - 1, AT + 1


def is_outdated(
    age: float,
    *,
    asked: Selection = JAZZ,
    states: tuple[LibraryState, ...] = AS_IT_WAS,
    changed_at: float = LONG_AGO,
    entries: int = 7,
) -> bool:
    reading = LastReading(asked=JAZZ, states=AS_IT_WAS, entries=entries, at=AT)
    return reading.is_outdated(asked, states, AT + age, changed_at)


def test_nothing_new_is_not_read_again_for_a_day() -> None:
    assert not is_outdated(READ_AGAIN_S - 1)
    assert is_outdated(READ_AGAIN_S)


def test_whatever_tells_of_a_change_has_a_filter_read_at_once() -> None:
    assert is_outdated(1, states=GROWN)
    assert is_outdated(1, changed_at=HEARD)
    # A change during the reading may not be in it.
    assert is_outdated(1, changed_at=AT)
    assert is_outdated(1, asked=FOLK)


def test_a_large_filter_is_read_at_most_once_between_two_hourly_looks() -> None:
    many = MANY_ENTRIES + 1
    for age, is_late in ((1.0, False), (MANY_REST_S - 1, False), (MANY_REST_S, True)):
        assert is_outdated(age, states=GROWN, entries=many) == is_late
        assert is_outdated(age, changed_at=HEARD, entries=many) == is_late
    assert is_outdated(1, asked=FOLK, entries=many), "its owner changed it"


def test_only_some_filters_depend_on_what_is_heard() -> None:
    by_plays = {SelectionOrder.UNHEARD, SelectionOrder.HEARD}
    for order in SelectionOrder:
        assert Selection(order=order, most_files=9).depends_on_listening == (order in by_plays)
        assert not Selection(order=order).depends_on_listening, "all that fits is taken"
    assert Selection(is_unheard=True).depends_on_listening
    assert Selection(is_hearted=True).depends_on_listening
    assert Selection(unheard_days=30).depends_on_listening
    assert not Selection(added_days=30).depends_on_listening
