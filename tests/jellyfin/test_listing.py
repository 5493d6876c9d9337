from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import count, islice
from weakref import WeakSet

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.domain.items.item import Item, ItemType
from sidecar.errors import UnexpectedAnswer
from sidecar.jellyfin.listing import (
    PAGE_ITEMS,
    TRIES,
    FetchPage,
    ListedPage,
    Rows,
    read_sequence,
    read_set,
)


@cache
def entry(number: int, title: str = "") -> Item:
    return Item(id=f"{number:032x}", type=ItemType.AUDIO, title=title)


def ids(rows: Rows) -> list[int]:
    return [int(one.id, 16) for one in rows.entries]


class Library:
    """A listing that may change between two pages.

    Unlike a server it keeps no order but its list's, and changes only where a test says.
    """

    def __init__(self, count: int, changes: dict[int, Callable[[list[int]], object]]) -> None:
        self.numbers = list(range(count))
        self.changes = changes
        self.fetched: list[int] = []
        self.lasting: set[int] = set()

    def __call__(self, start: int, limit: int) -> ListedPage:
        self.changes.get(len(self.fetched), len)(self.numbers)
        # What has been there from the first page of this reading on.
        self.lasting = set(self.numbers) & (self.lasting if start else set(self.numbers))
        self.fetched.append(start)
        page = [entry(one) for one in self.numbers[start : start + limit]]
        return self.page(page)

    def page(self, items: list[Item]) -> ListedPage:
        return ListedPage(tuple(items), len(self.numbers))


@given(st.integers(0, 5 * PAGE_ITEMS))
def test_a_quiet_library_is_read_whole_in_as_few_pages_as_it_needs(size: int) -> None:
    library = Library(size, {})

    rows = read_set(library)

    assert rows.complete
    assert ids(rows) == list(range(size))
    # One more if the last one is as long as was asked for: it might not be the last.
    assert len(library.fetched) == max(0, size - 1) // (PAGE_ITEMS - 1) + 1


@pytest.mark.parametrize("read", [read_set, read_sequence])
@pytest.mark.parametrize(
    "change",
    [
        lambda numbers: numbers.pop(0),
        lambda numbers: numbers.insert(0, 9999),
        lambda numbers: numbers.append(9999),
        lambda numbers: (numbers.pop(0), numbers.append(9999)),
        lambda numbers: (numbers.pop(), numbers.insert(0, 9999)),
        lambda numbers: (numbers.pop(0), numbers.insert(PAGE_ITEMS - 1, 9999)),
    ],
)
def test_a_shift_between_two_pages_loses_and_doubles_nothing(
    read: Callable[[FetchPage], Rows], change: Callable[[list[int]], object]
) -> None:
    library = Library(3 * PAGE_ITEMS, {1: change})

    rows = read(library)

    assert rows.complete
    assert ids(rows) == library.numbers


CHANGE = st.tuples(st.integers(0, 8), st.booleans(), st.integers(0, 800), st.integers(1, 5))


@pytest.mark.parametrize("read", [read_set, read_sequence])
@example([(1, False, 0, 3), (1, True, 800, 3), (2, True, 0, 1), (2, False, 700, 1)])
@given(st.lists(CHANGE, max_size=12))
def test_whatever_changes_meanwhile_a_listing_called_complete_misses_nothing_that_lasted(
    read: Callable[[FetchPage], Rows], changes: list[tuple[int, bool, int, int]]
) -> None:
    fresh = count(100_000)

    def change(numbers: list[int], when: int) -> None:
        for page, adds, place, times in changes:
            if page == when and adds:
                numbers[place:place] = islice(fresh, times)
            elif page == when:
                del numbers[place : place + times]

    library = Library(700, {page: partial(change, when=page) for page in range(9)})

    rows = read(library)

    assert not rows.complete or library.lasting <= set(ids(rows))


def test_a_removal_between_two_pages_is_noticed_and_read_again() -> None:
    library = Library(2 * PAGE_ITEMS + 1, {1: lambda numbers: numbers.pop(0)})

    rows = read_set(library)

    assert rows.complete
    assert ids(rows) == library.numbers
    assert library.fetched.count(0) == 2


def test_a_library_that_never_rests_is_handed_over_as_incomplete() -> None:
    churn = {number: lambda numbers: numbers.pop(0) for number in range(1, 100)}
    library = Library(4 * PAGE_ITEMS, churn)

    rows = read_set(library)

    assert not rows.complete
    assert library.fetched.count(0) == TRIES


def test_a_server_that_hides_items_after_counting_them_is_read_to_the_end() -> None:
    class Hiding(Library):
        def page(self, items: list[Item]) -> ListedPage:
            return super().page([one for one in items if int(one.id, 16) >= PAGE_ITEMS])

    rows = read_set(Hiding(2 * PAGE_ITEMS + 5, {}))

    assert ids(rows) == list(range(PAGE_ITEMS, 2 * PAGE_ITEMS + 5))
    assert not rows.complete


@pytest.mark.parametrize("read", [read_set, read_sequence])
@pytest.mark.parametrize(("size", "counted"), [(230, 200), (200, 0), (431, 200), (900, 7)])
def test_a_page_as_long_as_asked_for_is_never_the_last_whatever_the_server_counted(
    read: Callable[[FetchPage], Rows], size: int, counted: int
) -> None:
    class Miscounting(Library):
        def page(self, items: list[Item]) -> ListedPage:
            return ListedPage(tuple(items), counted)

    rows = read(Miscounting(size, {}))

    assert ids(rows) == list(range(size))
    # A wrong number proves nothing, so nothing is let go by it.
    assert not rows.complete


def test_a_server_that_sends_the_same_page_again_is_not_followed_for_ever() -> None:
    fetched = []

    def fetch(start: int, limit: int) -> ListedPage:
        fetched.append(start)
        return ListedPage(tuple(entry(one) for one in range(limit)), limit)

    rows = read_set(fetch)

    assert ids(rows) == list(range(PAGE_ITEMS))
    assert len(fetched) == 2 * TRIES


def test_an_entry_that_cannot_be_read_makes_the_listing_incomplete() -> None:
    def fetch(start: int, limit: int) -> ListedPage:
        return ListedPage((entry(1), None), 2)

    rows = read_set(fetch)

    assert ids(rows) == [1]
    assert not rows.complete


def test_a_playlist_keeps_its_order_and_its_repeats() -> None:
    def fetch(start: int, limit: int) -> ListedPage:
        items = (entry(2), entry(1), entry(2))
        return ListedPage(items, 3)

    assert read_sequence(fetch) == Rows([entry(2), entry(1), entry(2)], complete=True)


def test_an_absurd_total_is_not_followed_for_ever() -> None:
    def fetch(start: int, limit: int) -> ListedPage:
        return ListedPage((), 10**12)

    with pytest.raises(UnexpectedAnswer, match="more items than any library"):
        read_set(fetch)


@pytest.mark.parametrize("title", ["x" * 400_000, "\N{GRINNING FACE}" * 100_000])
def test_names_without_end_are_not_gathered(title: str) -> None:
    fetched = []

    def fetch(start: int, limit: int) -> ListedPage:
        fetched.append(start)
        return ListedPage(tuple(entry(one, title) for one in range(limit)), 200_000)

    with pytest.raises(UnexpectedAnswer, match="more items than any library"):
        read_set(fetch)

    assert len(fetched) == 2


class Kept(Item):
    """An item that tells whether it is still there."""


def test_what_was_read_in_vain_is_freed_before_it_is_read_again() -> None:
    alive: WeakSet[Kept] = WeakSet()
    left: list[int] = []

    def fetch(start: int, limit: int) -> ListedPage:
        if start == 0:
            left.append(len(alive))
        page = [
            Kept(id=f"{start + one:032x}", type=ItemType.AUDIO, title="") for one in range(limit)
        ]
        alive.update(page)
        # It counts more than it lists, so that the listing is never complete.
        return ListedPage(tuple(page[: 150 if start else limit]), 2 * limit)

    assert not read_set(fetch).complete
    assert left == [0] * TRIES
