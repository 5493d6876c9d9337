"""Reads a listing to its end, page by page, and says whether it may be trusted to be whole.

Pages shift when somebody adds or removes an item meanwhile, and old servers leave hidden items
out of a page after counting them, so a short page is not the end. A listing is whole only if every
page told the same total and exactly that many entries came; else it is read again, and if it never
adds up it is handed over as incomplete: good for adding, never for removing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidecar.domain.items import Item
from sidecar.errors import OddAnswer
from sidecar.jellyfin.models import BaseItem, ItemsPage

PAGE_ITEMS = 200
TRIES = 3
MOST_PAGES = 5000

FetchPage = Callable[[int, int], ItemsPage]


@dataclass(frozen=True, slots=True)
class Listing:
    """Items as the server listed them.

    Attributes:
        complete: Nothing is missing: what is not here is really not there. If False, an absent
            item means nothing.
    """

    items: tuple[Item, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Entries of a listing before they are put into our words."""

    entries: Sequence[BaseItem]
    complete: bool


def read_set(fetch: FetchPage) -> Rows:
    """Read a listing in which each item stands once; `fetch` takes a start index and a limit."""
    return _read(fetch, once_each=True)


def read_sequence(fetch: FetchPage) -> Rows:
    """Read a listing whose order and repeats matter, such as a playlist."""
    return _read(fetch, once_each=False)


def _read(fetch: FetchPage, *, once_each: bool) -> Rows:
    rows = Rows((), complete=False)
    for _ in range(TRIES):
        rows = _read_once(fetch, once_each=once_each)
        if rows.complete:
            break
    return rows


def _read_once(fetch: FetchPage, *, once_each: bool) -> Rows:
    entries: list[BaseItem] = []
    totals: set[int] = set()
    for number in range(MOST_PAGES):
        page = fetch(number * PAGE_ITEMS, PAGE_ITEMS)
        entries += [one for one in page.items if one is not None]
        totals.add(page.total_record_count)
        if (number + 1) * PAGE_ITEMS >= page.total_record_count:
            break
    else:
        raise OddAnswer("Jellyfin lists more items than any library holds")
    if once_each:
        entries = list({one.id: one for one in entries}.values())
    return Rows(entries, complete=totals == {len(entries)})
