"""Reads all pages of a listing, and tells whether the result is certainly complete.

    page 1  a b c d          Each page begins with the last entry of the one before. If somebody
    page 2        d e f g    adds or removes an item meanwhile, that entry is another one, and the
    page 3              g h  listing is read again.

Old servers leave hidden items out of a page after counting them, so a short page is not the end;
and a page as long as asked for is never the last one, however few the server counted. A listing is
complete only if the pages overlap as above and have as many entries as each counted. If they never
do, it is returned as incomplete: good for adding, never for removing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from sys import getsizeof

from sidecar.domain.items.item import Item
from sidecar.errors import UnexpectedAnswer
from sidecar.jellyfin.http.budget import MemoryBudget
from sidecar.messages import msg
from sidecar.process.heap import return_freed

PAGE_ITEMS = 200
TRIES = 3
# More than any library has.
MOST_ITEMS = 300_000
# Enough for 150,000 tracks.
MOST_BYTES = 80 * 1024 * 1024
# For all listings together that are being read at one moment.
BUDGET = MemoryBudget(MOST_BYTES)
LARGE_BYTES = 8 * 1024 * 1024
# Texts of which `mapping` keeps one copy.
_SHARED = (
    "artist",
    "album",
    "album_id",
    "album_artist",
    "series",
    "series_id",
    "season_id",
    "artist_id",
    "image_item_id",
    "image_tag",
)


@dataclass(frozen=True, slots=True)
class ListedPage:
    """One page of a listing; an entry that could not be read is None."""

    items: tuple[Item | None, ...]
    total_record_count: int


FetchPage = Callable[[int, int], ListedPage]
IsPast = Callable[[Item], bool]


@dataclass(frozen=True, slots=True)
class Listing:
    """Items as the server listed them.

    Attributes:
        complete: Nothing is missing that was there from the first page to the last. If False, an
            absent item means nothing.
    """

    items: tuple[Item, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """The entries of one listing, read to its end."""

    entries: Sequence[Item]
    complete: bool


def read_set(fetch: FetchPage, *, page_items: int = PAGE_ITEMS) -> Rows:
    """Read a listing in which each item is once; `fetch` takes a start index and a limit."""
    return _read(fetch, once_each=True, page_items=page_items)


def read_sequence(fetch: FetchPage) -> Rows:
    """Read a listing whose order and repeats matter, such as a playlist."""
    return _read(fetch, once_each=False, page_items=PAGE_ITEMS)


def read_until(fetch: FetchPage, begin: Callable[[], IsPast]) -> Rows:
    """Read a listing in which each item is once, up to the first that is past.

    Args:
        fetch: As for `read_set`.
        begin: Called before each reading; returns what says of each item, in turn, whether nothing
            from it on is wanted.
    """
    return _read(fetch, once_each=True, page_items=PAGE_ITEMS, begin=begin)


def _never() -> IsPast:
    return lambda _item: False


def _read(
    fetch: FetchPage,
    *,
    once_each: bool,
    page_items: int,
    begin: Callable[[], IsPast] = _never,
) -> Rows:
    rows = Rows((), complete=False)
    for _ in range(TRIES):
        # What was read before is freed first.
        rows = Rows((), complete=False)
        rows = _read_once(fetch, begin(), once_each=once_each, page_items=page_items)
        if rows.complete:
            break
    return rows


def _read_once(fetch: FetchPage, is_past: IsPast, *, once_each: bool, page_items: int) -> Rows:
    taken: list[int] = []
    try:
        return _read_pages(fetch, taken, is_past, once_each=once_each, page_items=page_items)
    finally:
        BUDGET.give_back(sum(taken))
        if sum(taken) > LARGE_BYTES:
            return_freed()


def _read_pages(
    fetch: FetchPage, taken: list[int], is_past: IsPast, *, once_each: bool, page_items: int
) -> Rows:
    """Read all pages; `taken` collects what was taken from the budget."""
    entries: list[Item] = []
    totals: set[int] = set()
    fits = is_whole = True
    for number in range(MOST_ITEMS // (page_items - 1) + 1):
        start = number * (page_items - 1)
        page = fetch(start, page_items)
        size = _count_bytes(page.items)
        if page.total_record_count > MOST_ITEMS or not BUDGET.take(size):
            raise _endless()
        taken.append(size)
        found = [one for one in page.items if one is not None]
        continues = number == 0 or _continues(entries, found)
        fits &= continues
        news = found[1:] if number > 0 and fits else found
        totals.add(page.total_record_count)
        is_full = len(page.items) >= page_items
        end = next((at for at, one in enumerate(news) if is_past(one)), None)
        if end is not None:
            # What is beyond is not counted: that no page before had a gap has to do.
            whole = is_whole and len(found) == len(page.items)
            read = [*entries, *news[:end]]
            return _make_rows(read, once_each=once_each, complete=fits and whole)
        entries += news
        is_whole &= is_full and len(found) == len(page.items)
        if start + page_items >= page.total_record_count and not (is_full and continues):
            break
    else:
        raise _endless()
    rows = _make_rows(entries, once_each=once_each, complete=fits)
    return Rows(rows.entries, complete=fits and totals == {len(rows.entries)})


def _make_rows(entries: list[Item], *, once_each: bool, complete: bool) -> Rows:
    if once_each:
        entries = list({one.id: one for one in entries}.values())
    return Rows(entries, complete=complete)


def _continues(before: Sequence[Item], after: Sequence[Item]) -> bool:
    return bool(before and after) and before[-1].id == after[0].id


def _count_bytes(items: Iterable[Item | None]) -> int:
    """Return roughly how many bytes items take in memory; texts that they share count once."""
    size, shared = 0, set[str]()
    for one in items:
        if one is not None:
            own = (one.id, one.title, one.source_etag, one.source_path)
            size += getsizeof(one) + sum(getsizeof(text) for text in own if text is not None)
            shared.update(text for name in _SHARED if (text := getattr(one, name)) is not None)
    return size + sum(map(getsizeof, shared))


def _endless() -> UnexpectedAnswer:
    return UnexpectedAnswer(msg("Jellyfin lists more items than any library holds"))
