"""Says in words why something fills a device: what the person has played that speaks for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from types import MappingProxyType

from sidecar.domain.fill.shelf import Shelf
from sidecar.domain.fill.taste import Evidence, Taste
from sidecar.messages import counted, msg

# What others play is not told, and that somebody has not played something says little.
UNTOLD = frozenset({Evidence.OTHERS, Evidence.UNHEARD, Evidence.ANY})
_SIMPLY: Mapping[Evidence, str] = MappingProxyType(
    {
        Evidence.HEART: msg("it has your heart"),
        Evidence.TOGETHER: msg("you often play it after what you have played of late"),
        Evidence.SIMILAR: msg("Jellyfin suggests it with what you have played of late"),
        Evidence.NEW: msg("it is new in the library"),
    }
)
_MONTHS = (
    msg("January"),
    msg("February"),
    msg("March"),
    msg("April"),
    msg("May"),
    msg("June"),
    msg("July"),
    msg("August"),
    msg("September"),
    msg("October"),
    msg("November"),
    msg("December"),
)
Month = tuple[int, int]


class Facts:
    """What a person has played, by month: of each item, album, artist and genre.

    Attributes:
        items, albums, artists, genres: For each the number of different items played in its best
            month, or for an item of its plays.
        albums_of: For each artist the number of different albums played in the best month.
    """

    def __init__(self, shelf: Shelf, plays: Iterable[tuple[int, str]]) -> None:
        items: dict[int, Counter[Month]] = defaultdict(Counter)
        of_albums: dict[Hashable, dict[Month, set[int]]] = defaultdict(lambda: defaultdict(set))
        of_artists: dict[Hashable, dict[Month, set[int]]] = defaultdict(lambda: defaultdict(set))
        of_genres: dict[Hashable, dict[Month, set[int]]] = defaultdict(lambda: defaultdict(set))
        by_artist: dict[Hashable, dict[Month, set[int]]] = defaultdict(lambda: defaultdict(set))
        for day, item_id in plays:
            item = shelf.number.get(item_id)
            if item is None:
                continue
            then = date.fromordinal(day)
            month = (then.year, then.month)
            items[item][month] += 1
            album, artist = shelf.albums.of[item], shelf.artists.of[item]
            of_albums[album][month].add(item)
            of_artists[artist][month].add(item)
            of_genres[shelf.genres.of[item]][month].add(item)
            if album is not None:
                by_artist[artist][month].add(album)
        self.items = {one: _find_best(months) for one, months in items.items()}
        self.albums = _count(of_albums)
        self.artists = _count(of_artists)
        self.genres = _count(of_genres)
        self.albums_of = _count(by_artist)
        self.shelf = shelf


def explain(taste: Taste, facts: Facts, item: int) -> str:
    """Return why an item is there, as a message that goes on after a colon."""
    weights = taste.weigh(item)
    ranked = sorted(weights, key=weights.__getitem__, reverse=True)
    told = (_say(one, taste, facts, item) for one in ranked if one not in UNTOLD)
    found = next(filter(None, told), None)
    if found is not None:
        return found
    if item in taste.heard:
        return msg("you have played it, and there was room")
    return msg("you have not played it yet, and there was room")


def _say(evidence: Evidence, taste: Taste, facts: Facts, item: int) -> str | None:
    if evidence in _SIMPLY:
        return _SIMPLY[evidence]
    if evidence is Evidence.DUE and taste.heard[item].rhythm:
        days = round(taste.heard[item].rhythm)
        return counted("you play it every day", "you play it about every {count} days", days)
    if evidence in {Evidence.ALBUM, Evidence.BEGUN, Evidence.ARTIST, Evidence.GENRE}:
        return _say_group(evidence, facts, item)
    return _say_item(facts, item)


def _say_item(facts: Facts, item: int) -> str | None:
    if item not in facts.items:
        return None
    times, month = facts.items[item]
    return counted(
        "you played it in {month}",
        "you played it {count} times in {month}",
        times,
        month=_name(month),
    )


def _say_group(evidence: Evidence, facts: Facts, item: int) -> str | None:
    shelf, one = facts.shelf, facts.shelf.items[item]
    album, artist, genre = (group.of[item] for group in (shelf.albums, shelf.artists, shelf.genres))
    if evidence is Evidence.BEGUN and one.album and album in facts.albums:
        month = facts.albums[album][1]
        return msg("you began {album} in {month}", album=one.album, month=_name(month))
    if evidence is Evidence.ALBUM and one.album and album in facts.albums:
        number, month = facts.albums[album]
        return counted(
            "you played a track of {album} in {month}",
            "you played {count} tracks of {album} in {month}",
            number,
            album=one.album,
            month=_name(month),
        )
    if evidence is Evidence.ARTIST and one.artist and artist in facts.artists:
        return _say_artist(facts, artist, one.artist)
    if evidence is Evidence.GENRE and one.genre and genre in facts.genres:
        number, month = facts.genres[genre]
        return counted(
            "you played a track of the genre {genre} in {month}",
            "you played {count} tracks of the genre {genre} in {month}",
            number,
            genre=one.genre,
            month=_name(month),
        )
    return None


def _say_artist(facts: Facts, artist: Hashable, name: str) -> str:
    albums, month = facts.albums_of.get(artist, (0, (0, 0)))
    if albums > 1:
        return counted(
            "you played an album of {artist} in {month}",
            "you played {count} albums of {artist} in {month}",
            albums,
            artist=name,
            month=_name(month),
        )
    number, month = facts.artists[artist]
    return counted(
        "you played a track of {artist} in {month}",
        "you played {count} tracks of {artist} in {month}",
        number,
        artist=name,
        month=_name(month),
    )


def _count(
    groups: Mapping[Hashable, Mapping[Month, set[int]]],
) -> dict[Hashable, tuple[int, Month]]:
    return {
        group: _find_best({month: len(members) for month, members in months.items()})
        for group, months in groups.items()
        if group is not None
    }


def _find_best(months: Mapping[Month, int]) -> tuple[int, Month]:
    """Return the month with the most of it, the latest of those, and how much that is."""
    return max((number, month) for month, number in months.items())


def _name(month: Month) -> str:
    return _MONTHS[month[1] - 1]
