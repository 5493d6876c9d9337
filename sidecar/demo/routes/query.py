"""Filters, sorts and pages items for `/Items` and its relatives.

    place (ids, parent, root) ─▶ filters ─▶ order ─▶ page

Pure: items and user data in, items out. Who may see what is decided before, in `.seeing`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from sidecar.demo.library import naming
from sidecar.demo.library.items import BaseItemKind, DemoItem, DemoLibrary
from sidecar.demo.protocol.version import Version
from sidecar.demo.state.user_data import UserData

OpinionOf = Callable[[DemoItem], UserData]
SortKey = tuple[float, str]

_NEVER = datetime.fromtimestamp(0, UTC)
CONTRADICTIONS = ({"IsPlayed", "IsUnplayed"}, {"IsFolder", "IsNotFolder"}, {"Likes", "Dislikes"})


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """One query. Empty and None mean: no filter.

    Attributes:
        ids: The items themselves, in the order of the answer when there is no `sort_by`.
        parent: The place to look in; None for everywhere.
        artists: Names of artists in any part; `album_artists` of albums; `contributing` otherwise.
        filters: Names of `ItemFilter`.
        sort_by: Names of `ItemSortBy`; those that nobody knows are left out beforehand.
        limit: None for no end.
    """

    ids: tuple[str, ...] = ()
    parent: DemoItem | None = None
    recursive: bool = False
    kinds: frozenset[BaseItemKind] = frozenset()
    excluded_kinds: frozenset[BaseItemKind] = frozenset()
    media_types: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    album_ids: frozenset[str] = frozenset()
    artists: frozenset[str] = frozenset()
    album_artists: frozenset[str] = frozenset()
    contributing: frozenset[str] = frozenset()
    genres: frozenset[str] = frozenset()
    genre_ids: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    years: frozenset[int] = frozenset()
    least_rating: float | None = None
    search: str = ""
    starts_with: str = ""
    less_than: str = ""
    sort_by: tuple[str, ...] = ()
    descending: tuple[bool, ...] = ()
    start: int = 0
    limit: int | None = None

    @property
    def contradicts_itself(self) -> bool:
        """Whether two of its filters exclude each other."""
        return any(pair <= self.filters for pair in CONTRADICTIONS)


@dataclass(frozen=True, slots=True)
class QueryEngine:
    """Answers queries about one scan, as one version does.

    Attributes:
        library: Where it looks.
        opinion_of: What the user that it is for did with an item.
    """

    library: DemoLibrary
    opinion_of: OpinionOf
    speaks: Version
    random: Random

    def run(self, query: ItemQuery, visible: Sequence[DemoItem]) -> list[DemoItem]:
        """Return all items that match, in order, without paging."""
        if self._asks_for_libraries(query):
            libraries = [item for item in visible if item.kind is BaseItemKind.LIBRARY]
            return sorted(libraries, key=lambda item: item.sort_name)
        found = [item for item in self._place(query, visible) if self._fits(query, item)]
        return self._sort(query, found)

    def _asks_for_libraries(self, query: ItemQuery) -> bool:
        is_at_root = query.parent is None and not query.ids and not query.recursive
        if not is_at_root:
            return False
        return not self.speaks.filters_at_the_root or not (query.kinds or query.filters)

    def _place(self, query: ItemQuery, visible: Sequence[DemoItem]) -> Iterable[DemoItem]:
        if query.ids:
            seen = {item.id: item for item in visible}
            return [seen[one] for one in dict.fromkeys(query.ids) if one in seen]
        visible = [one for one in visible if not one.is_hidden and not one.kind.is_genre]
        if query.parent is None:
            # Collections are listed only in their library.
            unlisted = {BaseItemKind.LIBRARY, BaseItemKind.COLLECTION}
            return [item for item in visible if item.kind not in unlisted]
        return [item for item in visible if self._is_in(query, query.parent, item)]

    def _is_in(self, query: ItemQuery, place: DemoItem, item: DemoItem) -> bool:
        if place.kind is BaseItemKind.ARTIST:
            return item.music is not None and place.name in item.music.album_artists
        if place.kind is BaseItemKind.COLLECTION:
            return item.id in place.members
        deep = query.recursive or (
            self.speaks.filters_at_the_root
            and place.kind is BaseItemKind.LIBRARY
            and bool(query.kinds)
        )
        if not deep:
            return item.parent_id == place.id
        return any(one.id == place.id for one in self.library.ancestors(item))

    def _fits(self, query: ItemQuery, item: DemoItem) -> bool:
        return (
            (not query.kinds or item.kind in query.kinds)
            and item.kind not in query.excluded_kinds
            and (not query.media_types or item.kind.media_type in query.media_types)
            and self._fits_music(query, item)
            and (not query.genres or bool(query.genres & {*item.all_genres}))
            and (not query.genre_ids or bool(query.genre_ids & _genre_ids(item)))
            and (not query.tags or bool(query.tags & {fold(one) for one in item.tags}))
            and (not query.years or item.year in query.years)
            and (query.least_rating is None or (item.rating or -1.0) >= query.least_rating)
            and fold(query.search) in fold(item.name)
            and fold(item.sort_name).startswith(fold(query.starts_with))
            and (not query.less_than or fold(item.sort_name) < fold(query.less_than))
            and all(passes(item, self.opinion_of(item)) for passes in _filters(query))
        )

    def _fits_music(self, query: ItemQuery, item: DemoItem) -> bool:
        asked = (query.artists, query.album_artists, query.contributing)
        if not any(asked) and not query.album_ids:
            return True
        music = item.music
        if music is None:
            return False
        everybody = {*music.artists, *music.album_artists}
        return (
            (not query.artists or bool(query.artists & everybody))
            and (not query.album_artists or bool(query.album_artists & {*music.album_artists}))
            and (
                not query.contributing
                or bool(query.contributing & {*music.artists} - {*music.album_artists})
            )
            and (not query.album_ids or self._is_of_albums(query, item))
        )

    def _is_of_albums(self, query: ItemQuery, item: DemoItem) -> bool:
        if not self.speaks.finds_albums_by_name:
            return item.parent_id in query.album_ids
        albums = (self.library.get(one) for one in query.album_ids)
        names = {album.name for album in albums if album is not None}
        return item.music is not None and item.music.album in names

    def _sort(self, query: ItemQuery, found: list[DemoItem]) -> list[DemoItem]:
        if query.ids and not query.sort_by:
            return found
        if "random" in query.sort_by:
            return self.random.sample(found, len(found))
        ordered = sorted(found, key=lambda item: item.id)
        names = query.sort_by or ("sortname",)
        # Stable sorts, the last name first, so that the first name weighs most.
        for place in reversed(range(len(names))):
            backwards = query.descending[min(place, len(query.descending) - 1)]
            ordered.sort(key=self._key(names[place]), reverse=backwards)
        return ordered

    def _key(self, name: str) -> Callable[[DemoItem], SortKey]:
        keys = {
            "seriessortname": lambda item: (0.0, fold(item.show.series) if item.show else ""),
            "sortname": lambda item: (0.0, fold(item.sort_name)),
            "name": lambda item: (0.0, fold(item.name)),
            "album": lambda item: (0.0, fold(item.music.album or "") if item.music else ""),
            "albumartist": lambda item: (0.0, _first(item.music and item.music.album_artists)),
            "artist": lambda item: (0.0, _first(item.music and item.music.artists)),
            "datecreated": lambda item: (item.created.timestamp(), ""),
            "premieredate": lambda item: (float(item.year or 0), ""),
            "productionyear": lambda item: (float(item.year or 0), ""),
            "runtime": lambda item: (item.seconds, ""),
            "communityrating": lambda item: (item.rating or 0.0, ""),
            "parentindexnumber": lambda item: (float(item.parent_index or 0), ""),
            "indexnumber": lambda item: (float(item.index or 0), ""),
            "isfolder": lambda item: (float(item.kind.is_playable), ""),
            "dateplayed": lambda item: (self._last_played(item), ""),
            "playcount": lambda item: (float(self.opinion_of(item).play_count), ""),
            "isfavoriteorliked": lambda item: (float(self.opinion_of(item).is_favourite), ""),
            "isplayed": lambda item: (float(self.opinion_of(item).played), ""),
            "isunplayed": lambda item: (float(not self.opinion_of(item).played), ""),
        }
        return keys.get(name, keys["sortname"])

    def _last_played(self, item: DemoItem) -> float:
        return (self.opinion_of(item).last_played or _NEVER).timestamp()


def page(query: ItemQuery, items: Sequence[DemoItem]) -> Sequence[DemoItem]:
    """Return the part of the items that the query asks for."""
    end = None if query.limit is None else query.start + query.limit
    return items[query.start : end]


def fold(text: str) -> str:
    """Return a text without accents and in lower case, to search and sort by."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(one for one in decomposed if not unicodedata.combining(one)).casefold()


def _genre_ids(item: DemoItem) -> set[str]:
    """Return the ids of an item's genres: of both kinds, as the real server takes them alike."""
    kinds = (BaseItemKind.GENRE, BaseItemKind.MUSIC_GENRE)
    return {naming.genre_id(one, kind) for one in item.all_genres for kind in kinds}


def _first(names: Sequence[str] | None) -> str:
    return fold(names[0]) if names else ""


_FILTERS: dict[str, Callable[[DemoItem, UserData], bool]] = {
    "IsFavorite": lambda _, user_data: user_data.is_favourite,
    "IsNotFavorite": lambda _, user_data: not user_data.is_favourite,
    "IsFavoriteOrLikes": lambda _, user_data: user_data.is_favourite or bool(user_data.likes),
    "Likes": lambda _, user_data: user_data.likes is True,
    "Dislikes": lambda _, user_data: user_data.likes is False,
    "IsPlayed": lambda _, user_data: user_data.played,
    "IsUnplayed": lambda _, user_data: not user_data.played,
    "IsResumable": lambda _, user_data: user_data.position_ticks > 0,
    "IsFolder": lambda item, _: not item.kind.is_playable,
    "IsNotFolder": lambda item, _: item.kind.is_playable,
}
FILTERS = frozenset(_FILTERS)


def _filters(query: ItemQuery) -> list[Callable[[DemoItem, UserData], bool]]:
    return [_FILTERS[name] for name in query.filters]
