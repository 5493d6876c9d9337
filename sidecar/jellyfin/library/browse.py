"""Browses the library: libraries, their content, and search.

no parent ─▶ libraries ─▶ albums, films, series … ─▶ tracks, seasons ─▶ episodes

One page at a time, as one account sees it. A page may be shorter than asked for: old servers count
hidden items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sidecar.domain.items.item import Item
from sidecar.domain.items.kinds import TYPES, Kind, kind_of
from sidecar.jellyfin.client import DISC_ORDER, PRIMARY_IMAGE_ONLY, Jellyfin
from sidecar.jellyfin.http.connection import Query
from sidecar.jellyfin.mapping import to_item
from sidecar.jellyfin.models import TICKS_PER_SECOND, BaseItem

FIELDS = "MediaSources,Path,CanDownload,ChildCount"
RECURSIVE: Query = {"recursive": "true"}
# What is shown at the top of a library, by its type; in other libraries the folders.
FIRST_SHOWN = MappingProxyType(
    {
        "music": Kind.ALBUM,
        "movies": Kind.FILM,
        "tvshows": Kind.SERIES,
        "books": Kind.AUDIOBOOK,
        "musicvideos": Kind.MUSIC_VIDEO,
        "homevideos": Kind.VIDEO,
        "playlists": Kind.PLAYLIST,
        "boxsets": Kind.COLLECTION,
    }
)


MUSIC = frozenset({Kind.ALBUM, Kind.ARTIST, Kind.TRACK})
# What is in them follows from their kind alone, whatever library they are in.
PLAIN = frozenset({Kind.ARTIST, Kind.ALBUM, Kind.PLAYLIST, Kind.SERIES, Kind.SEASON})
MOST_GENRES = 200
# Of the artists of a page; the covers of so many albums are looked through.
MOST_ALBUMS = 200
MOST_LOOKED_AT = 5


class BrowseSort(StrEnum):
    """The order of a list; without one, the natural order of the parent."""

    NAME = "name"
    ADDED = "added"
    YEAR = "year"
    PLAYED = "played"
    RANDOM = "random"


ORDERS: Mapping[BrowseSort, Query] = MappingProxyType(
    {
        BrowseSort.NAME: {"sortBy": "SortName", "sortOrder": "Ascending"},
        BrowseSort.ADDED: {"sortBy": "DateCreated,SortName", "sortOrder": "Descending,Ascending"},
        BrowseSort.YEAR: {"sortBy": "ProductionYear,SortName", "sortOrder": "Descending,Ascending"},
        BrowseSort.RANDOM: {"sortBy": "Random"},
        BrowseSort.PLAYED: {"sortBy": "DatePlayed,SortName", "sortOrder": "Descending,Ascending"},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowseQuery:
    """A request for one page of the library.

    Attributes:
        parent: A library, folder or container; None for the whole library.
        parent_kind: The kind of it, where that is known: the server is asked once less.
        kinds: Only these kinds; empty means the usual content of the parent.
        text: Part of a name; empty means any.
        initial: What names begin with; "#" for what comes before "a". Empty means any.
        genre: The name of a genre; empty means any.
        decade: Its first year; None means any.
        is_played: Only what this account has played.
        page: From 1.
    """

    parent: str | None = None
    parent_kind: Kind | None = None
    kinds: frozenset[Kind] = frozenset()
    text: str = ""
    initial: str = ""
    genre: str = ""
    decade: int | None = None
    is_played: bool = False
    sort: BrowseSort | None = None
    page: int = 1
    page_size: int = 10


@dataclass(frozen=True, slots=True)
class BrowseEntry:
    """One entry of a library.

    Attributes:
        children: How many entries are in it; None where the server does not say, or guesses.
        unplayed: How many episodes in it the account has not seen; None where nobody counts.
        stopped_s: Where the account stopped it, in seconds; 0 if it did not begin, or ended.
    """

    item: Item
    kind: Kind
    children: int | None
    unplayed: int | None = None
    stopped_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BrowsePage:
    """One page, and the total number of entries that the server reports."""

    entries: tuple[BrowseEntry, ...]
    total: int


@dataclass(frozen=True, slots=True)
class _ListingQuery:
    """The path and the query that list what is in a parent."""

    path: tuple[str, ...]
    query: Query


LIBRARIES = _ListingQuery(("UserViews",), {})


class Browser:
    """The library of one account. Raises what `Jellyfin` raises."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def get(self, item_id: str) -> BrowseEntry:
        """Return one entry.

        Raises:
            NotFound: There is none that this account may see.
        """
        return _to_entry(self._client.base_item(item_id))

    def page(self, asked: BrowseQuery) -> BrowsePage:
        """Return one page.

        Raises:
            NotFound, NotAllowed: There is no such parent for this account.
        """
        place = self._listing_query(asked)
        start = (asked.page - 1) * asked.page_size
        paging: Query = {"startIndex": start, "limit": asked.page_size}
        query = {**place.query, "fields": FIELDS, **PRIMARY_IMAGE_ONLY, **paging}
        page = self._client.page(*place.path, query=query)
        entries = tuple(_to_entry(one) for one in page.items if one is not None)
        if place == LIBRARIES:
            # The server sends all of them, whatever page was asked for.
            return BrowsePage(entries[start : start + asked.page_size], len(entries))
        return BrowsePage(entries, page.total_record_count)

    def next_up(self, series_id: str) -> BrowseEntry | None:
        """Return the episode of a series that the account watches next; None if it saw all.

        That is the first one of a series that was not begun, and one that was stopped halfway.
        """
        query: Query = {
            "seriesId": series_id,
            "disableFirstEpisode": "false",
            "enableResumable": "true",
            "limit": 1,
            "fields": FIELDS,
            **PRIMARY_IMAGE_ONLY,
        }
        page = self._client.page("Shows", "NextUp", query=query)
        return next((_to_entry(one) for one in page.items if one is not None), None)

    def continued(self, most: int) -> list[BrowseEntry]:
        """Return what the account goes on with: what was begun, then the next of each series."""
        shown: Query = {"limit": most, "fields": FIELDS, **PRIMARY_IMAGE_ONLY}
        following: Query = {"disableFirstEpisode": "true", "enableResumable": "false"}
        begun = self._client.page("UserItems", "Resume", query=shown)
        episodes = self._client.page("Shows", "NextUp", query={**shown, **following})
        found = [_to_entry(one) for one in (*begun.items, *episodes.items) if one is not None]
        return list({one.item.id: one for one in found}.values())[:most]

    def genres(self, kind: Kind) -> list[str]:
        """Return the names of the genres of one kind of items, in their order."""
        path = "MusicGenres" if kind in MUSIC else "Genres"
        order = {**RECURSIVE, "sortBy": "SortName", "includeItemTypes": str(TYPES[kind])}
        page = self._client.page(path, query={**order, "startIndex": 0, "limit": MOST_GENRES})
        return [one.name for one in page.items if one is not None and one.name]

    def pictures_of_artists(self, artist_ids: Sequence[str]) -> dict[str, Item]:
        """Return an album with a picture for artists that have some, by the artists' ids."""
        query: Query = {
            **RECURSIVE,
            "albumArtistIds": ",".join(artist_ids),
            "includeItemTypes": str(TYPES[Kind.ALBUM]),
            "sortBy": "ProductionYear,SortName",
            "startIndex": 0,
            "limit": MOST_ALBUMS,
            **PRIMARY_IMAGE_ONLY,
        }
        found: dict[str, Item] = {}
        for one in self._client.page("Items", query=query).items:
            item = None if one is None else to_item(one)
            if one is not None and item is not None and item.image_item_id is not None:
                for artist in one.album_artists:
                    if artist is not None and artist.id:
                        found[artist.id] = item
        return found

    def picture_of_library(self, library_id: str) -> Item | None:
        """Return the newest album, film or series with a picture in a library."""
        shown = (Kind.ALBUM, Kind.FILM, Kind.SERIES, Kind.AUDIOBOOK, Kind.MUSIC_VIDEO)
        query: Query = {
            **RECURSIVE,
            "parentId": library_id,
            "includeItemTypes": ",".join(sorted(str(TYPES[one]) for one in shown)),
            **ORDERS[BrowseSort.ADDED],
            "startIndex": 0,
            "limit": MOST_LOOKED_AT,
            **PRIMARY_IMAGE_ONLY,
        }
        items = [to_item(one) for one in self._client.page("Items", query=query).items if one]
        return next((one for one in items if one.image_item_id is not None), None)

    def _listing_query(self, asked: BrowseQuery) -> _ListingQuery:
        if asked.parent is None:
            if not asked.kinds and not asked.text:
                return LIBRARIES
            return _recursive_query(asked, {})
        kind, collection_type = asked.parent_kind, None
        if kind not in PLAIN:
            base = self._client.base_item(asked.parent)
            kind, collection_type = kind_of(base.type), base.collection_type
        if kind is Kind.PLAYLIST:
            return _ListingQuery(("Playlists", asked.parent, "Items"), {})
        if kind is Kind.ARTIST:
            # Not `artistIds`: a guest on one track would bring in a whole compilation.
            within: Query = {"albumArtistIds": asked.parent}
        else:
            within = {"parentId": asked.parent}
        if asked.kinds or asked.text:
            return _recursive_query(asked, within)
        return _children_query(kind, collection_type or "", asked.sort, within)


def _recursive_query(asked: BrowseQuery, within: Query) -> _ListingQuery:
    """Return the query for entries of some kinds at any depth."""
    query = {**RECURSIVE, **within, **ORDERS[asked.sort or BrowseSort.NAME]}
    query |= _narrowing(asked)
    if asked.kinds == {Kind.ARTIST} and "albumArtistIds" not in within:
        # `/Items` misses artists that have no folder of their own.
        return _ListingQuery(("Artists", "AlbumArtists"), query)
    types = sorted(str(TYPES[one]) for one in asked.kinds or TYPES)
    if asked.kinds == {Kind.TRACK} and within and asked.sort is None:
        query |= DISC_ORDER
    return _ListingQuery(("Items",), {**query, "includeItemTypes": ",".join(types)})


def _narrowing(asked: BrowseQuery) -> Query:
    """Return what narrows a list down."""
    before_a = asked.initial == "#"
    query: dict[str, str] = {
        "searchTerm": asked.text,
        "nameStartsWith": "" if before_a else asked.initial,
        "nameLessThan": "a" if before_a else "",
        "genres": asked.genre,
        "filters": "IsPlayed" if asked.is_played else "",
    }
    if asked.decade is not None:
        query["years"] = ",".join(str(asked.decade + one) for one in range(10))
    return {name: value for name, value in query.items() if value}


def _children_query(
    kind: Kind | None, collection_type: str, sort: BrowseSort | None, within: Query
) -> _ListingQuery:
    """Return the query for the usual content of a parent."""
    order = ORDERS[sort or BrowseSort.NAME]
    match kind:
        case Kind.ARTIST:
            shown, order = Kind.ALBUM, ORDERS[sort or BrowseSort.YEAR]
        case Kind.ALBUM:
            shown, order = Kind.TRACK, ORDERS[sort] if sort else DISC_ORDER
        case Kind.SERIES:
            shown, order = Kind.SEASON, ORDERS[sort] if sort else DISC_ORDER
        case Kind.SEASON:
            shown, order = Kind.EPISODE, ORDERS[sort] if sort else DISC_ORDER
        case _ if collection_type in FIRST_SHOWN:
            shown = FIRST_SHOWN[collection_type]
        case _:
            return _ListingQuery(("Items",), {**within, **order})
    types = {"includeItemTypes": str(TYPES[shown])}
    return _ListingQuery(("Items",), {**RECURSIVE, **within, **types, **order})


def _to_entry(base: BaseItem) -> BrowseEntry:
    kind = kind_of(base.type)
    # For a whole library the number that the server reports is random.
    children = None if kind is Kind.VIEW else base.child_count
    told = base.user_data
    if told is None:
        return BrowseEntry(to_item(base), kind, children)
    stopped_s = told.playback_position_ticks / TICKS_PER_SECOND
    return BrowseEntry(to_item(base), kind, children, told.unplayed_item_count, stopped_s)
