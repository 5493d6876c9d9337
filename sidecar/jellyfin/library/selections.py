"""Lists what saved filters match: the server filters, and reading ends where no more can fit.

Two hundred items are read with one request. Sizes are asked for only where a limit needs them, and
for the first pages of what is only to be measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sidecar.domain.items.item import Item
from sidecar.domain.items.kinds import TYPES, Kind
from sidecar.domain.items.selection import Named, Selection, SelectionOrder
from sidecar.domain.items.selection_looks import LibraryState
from sidecar.jellyfin.client import PRIMARY_IMAGE_ONLY, Jellyfin
from sidecar.jellyfin.http.connection import Query
from sidecar.jellyfin.listing import PAGE_ITEMS, Rows, read_until

ORDERS: Mapping[SelectionOrder, Query] = MappingProxyType(
    {
        SelectionOrder.NAME: {"sortBy": "SortName", "sortOrder": "Ascending"},
        SelectionOrder.ADDED: {
            "sortBy": "DateCreated,SortName",
            "sortOrder": "Descending,Ascending",
        },
        SelectionOrder.YEAR: {
            "sortBy": "ProductionYear,SortName",
            "sortOrder": "Descending,Ascending",
        },
        # Never played comes first.
        SelectionOrder.UNHEARD: {"sortBy": "DatePlayed,SortName", "sortOrder": "Ascending"},
        SelectionOrder.HEARD: {
            "sortBy": "PlayCount,SortName",
            "sortOrder": "Descending,Ascending",
        },
        SelectionOrder.RATING: {
            "sortBy": "CommunityRating,SortName",
            "sortOrder": "Descending,Ascending",
        },
    }
)
# Pages that are read of what is only measured; of a larger list the rest is estimated.
MEASURED_PAGES = 3
# Libraries whose files are elsewhere.
WITHOUT_FILES = frozenset({"playlists", "boxsets"})
MOST_ARTISTS = 50
# Of more libraries a look counts what is in all that the account sees.
MOST_LOOKED_AT = 2


@dataclass(frozen=True, slots=True)
class SelectionListing:
    """What a filter takes, in its order.

    Attributes:
        complete: Nothing is missing; if False, an absent item means nothing.
        entries: How many entries of the library were read for it.
    """

    items: tuple[Item, ...]
    complete: bool
    entries: int


@dataclass(frozen=True, slots=True)
class SelectionSize:
    """What a filter matches.

    Attributes:
        is_estimate: It was not read to its end.
    """

    files: int
    bytes: int
    seconds: float
    is_estimate: bool


class SelectionReader:
    """Lists for one account. Raises what `Jellyfin` raises."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def look(self, asked: Selection) -> tuple[LibraryState, ...]:
        """Return how many items there are and which is the newest: with one request, or two.

        Raises:
            errors.NotFound, errors.NotAllowed: A library of it is not there for this account.
        """
        newest = {**ORDERS[SelectionOrder.ADDED], "startIndex": 0, "limit": 1}
        queries = _list_queries(asked, with_sizes=False)
        if len(queries) > MOST_LOOKED_AT:
            queries = [_make_query(asked, with_sizes=False)]
        states = []
        for query in queries:
            page = self._client.listed_page("Items", query={**query, **newest})
            first = next((one.id for one in page.items if one is not None), None)
            states.append(LibraryState(page.total_record_count, first))
        return tuple(states)

    def read(self, asked: Selection, now: datetime, seed: str) -> SelectionListing:
        """List what a filter takes, in its order.

        Raises:
            errors.NotFound, errors.NotAllowed: A library of it is not there for this account.
        """
        parts: list[Rows] = []
        for query in _list_queries(asked, with_sizes=asked.needs_sizes):
            pages = self._client.pages("Items", query=query)
            parts.append(read_until(pages, lambda: asked.begin(now)))
        listing = self._client.listing(*parts)
        taken = asked.finish(listing.items, now, seed)
        return SelectionListing(taken, listing.complete, sum(len(one.entries) for one in parts))

    def measure(self, asked: Selection, now: datetime) -> SelectionSize:
        """Return what a filter takes; of a large list only the first pages are read.

        Raises:
            errors.NotFound, errors.NotAllowed: A library of it is not there for this account.
        """
        seen: list[Item] = []
        unread = 0
        for query in _list_queries(asked, with_sizes=True):
            found, left = self._read_first(query, asked, now)
            seen += found
            unread += left
        taken = asked.finish(seen, now)
        size = sum(one.size or 0 for one in taken)
        seconds = sum(one.seconds or 0.0 for one in taken)
        if not unread or not seen:
            return SelectionSize(len(taken), size, seconds, is_estimate=False)
        fitting = [one for one in seen if asked.fits(one, now)]
        if len(taken) < len(fitting):
            # A limit ends it within what was read.
            is_estimate = not asked.is_listed_in_order
            return SelectionSize(len(taken), size, seconds, is_estimate=is_estimate)
        factor = (len(seen) + unread) / len(seen)
        if taken:
            limits = (
                (asked.most_files, len(taken)),
                (asked.most_bytes, size),
                (asked.most_seconds, seconds),
            )
            factor = min(
                [factor, *(most / there for most, there in limits if most is not None and there)]
            )
        return SelectionSize(
            round(len(taken) * factor), round(size * factor), seconds * factor, is_estimate=True
        )

    def _read_first(self, query: Query, asked: Selection, now: datetime) -> tuple[list[Item], int]:
        """Return the items of the first pages, and how many are not read."""
        is_past, seen = asked.begin(now), list[Item]()
        for number in range(MEASURED_PAGES):
            start = number * PAGE_ITEMS
            paging: Query = {"startIndex": start, "limit": PAGE_ITEMS, **PRIMARY_IMAGE_ONLY}
            page = self._client.listed_page("Items", query={**query, **paging})
            for one in page.items:
                if one is not None:
                    if is_past(one):
                        return seen, 0
                    seen.append(one)
            left = page.total_record_count - start - PAGE_ITEMS
            if left <= 0:
                return seen, 0
        return seen, left

    def libraries(self) -> list[Named]:
        """Return the libraries of the account that have files of their own."""
        return [
            Named(one.id, one.name or "")
            for one in self._client.libraries()
            if one.collection_type not in WITHOUT_FILES
        ]

    def find_artist(self, name: str) -> Named | None:
        """Return the artist of a name, whatever its case; None if nothing is filed there."""
        query: Query = {"searchTerm": name, "startIndex": 0, "limit": MOST_ARTISTS}
        page = self._client.page("Artists", "AlbumArtists", query=query)
        return next(
            (
                Named(one.id, one.name)
                for one in page.items
                if one is not None and one.name and one.name.casefold() == name.casefold()
            ),
            None,
        )


def _list_queries(asked: Selection, *, with_sizes: bool) -> list[Query]:
    """Return the queries that list what a filter matches: one for each library."""
    within: list[Query] = [{"parentId": one.id} for one in asked.libraries]
    query = _make_query(asked, with_sizes=with_sizes)
    return [{**query, **one} for one in within or [{}]]


def _make_query(asked: Selection, *, with_sizes: bool) -> Query:
    types = sorted(str(TYPES[one]) for one in asked.kinds or {Kind.TRACK})
    fields = ["DateCreated", *(["MediaSources"] if with_sizes else [])]
    narrowing = {
        "albumArtistIds": ",".join(one.id for one in asked.artists),
        "genres": "|".join(asked.genres),
        "tags": "|".join(asked.tags),
        "searchTerm": asked.text,
        "years": ",".join(map(str, asked.years)),
        "isPlayed": "false" if asked.is_unheard else "",
        "isFavorite": "true" if asked.is_hearted else "",
        "minCommunityRating": "" if asked.least_rating is None else str(asked.least_rating),
    }
    return {
        "recursive": "true",
        "includeItemTypes": ",".join(types),
        "excludeLocationTypes": "Virtual",
        "fields": ",".join(fields),
        # An empty value would list everything.
        **{name: value for name, value in narrowing.items() if value},
        **ORDERS[asked.reading_order],
    }
