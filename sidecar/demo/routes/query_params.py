"""Parses the parameters of a library query. Unknown names are ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sidecar.demo.library.items import BaseItemKind, DemoItem, DemoLibrary
from sidecar.demo.protocol.formats import parse_id
from sidecar.demo.routes.query import FILTERS, ItemQuery, fold

Parameter = Callable[[str], list[str]]

_SORTS = frozenset(
    [
        "default",
        "airedepisodeorder",
        "album",
        "albumartist",
        "artist",
        "datecreated",
        "officialrating",
        "dateplayed",
        "premieredate",
        "startdate",
        "sortname",
        "name",
        "random",
        "runtime",
        "communityrating",
        "productionyear",
        "playcount",
        "criticrating",
        "isfolder",
        "isunplayed",
        "isplayed",
        "seriessortname",
        "videobitrate",
        "airtime",
        "studio",
        "isfavoriteorliked",
        "datelastcontentadded",
        "seriesdateplayed",
        "parentindexnumber",
        "indexnumber",
    ]
)
_YES_NO = {
    "isFavorite": ("IsFavorite", "IsNotFavorite"),
    "isPlayed": ("IsPlayed", "IsUnplayed"),
}


def split_list(values: Iterable[str], separator: str = ",") -> list[str]:
    """Return the entries of a parameter that is a list, repeated or separated or both."""
    return [one.strip() for text in values for one in text.split(separator) if one.strip()]


def parse_query(
    parameter: Parameter, *, library: DemoLibrary, parent: DemoItem | None
) -> ItemQuery:
    """Return the query that these parameters describe.

    Args:
        parameter: Returns all values of a parameter by its name.
        library: Where artists and albums have their names.
        parent: The place that `parentId` names.
    """
    sorts = [one.lower() for one in split_list(parameter("sortBy"))]
    orders = [one.lower() == "descending" for one in split_list(parameter("sortOrder"))]
    return ItemQuery(
        ids=_ids(parameter("ids")),
        parent=parent,
        recursive=_flag(parameter("recursive")) or False,
        kinds=_kinds(parameter("includeItemTypes")),
        excluded_kinds=_kinds(parameter("excludeItemTypes")),
        media_types=frozenset(one.capitalize() for one in split_list(parameter("mediaTypes"))),
        filters=_filters(parameter),
        album_ids=frozenset(_ids(parameter("albumIds"))),
        artists=_names(library, parameter("artistIds")),
        album_artists=_names(library, parameter("albumArtistIds")),
        contributing=_names(library, parameter("contributingArtistIds")),
        genres=frozenset(split_list(parameter("genres"), "|")),
        genre_ids=frozenset(_ids(parameter("genreIds"))),
        tags=frozenset(map(fold, split_list(parameter("tags"), "|"))),
        least_rating=_decimal(parameter("minCommunityRating")),
        years=frozenset(int(one) for one in split_list(parameter("years")) if one.isdigit()),
        search="".join(parameter("searchTerm")[:1]),
        starts_with="".join(parameter("nameStartsWith")[:1]),
        less_than="".join(parameter("nameLessThan")[:1]),
        sort_by=tuple(one for one in sorts if one in _SORTS),
        descending=tuple(orders) or (False,),
        start=_number(parameter("startIndex")) or 0,
        limit=_number(parameter("limit")),
    )


def _flag(values: list[str]) -> bool | None:
    return values[0].lower() == "true" if values and values[0] else None


def _number(values: list[str]) -> int | None:
    return int(values[0]) if values and values[0].isdigit() else None


def _decimal(values: list[str]) -> float | None:
    try:
        return float(values[0]) if values else None
    except ValueError:
        return None


def _ids(values: list[str]) -> tuple[str, ...]:
    return tuple(one for one in map(parse_id, split_list(values)) if one is not None)


def _kinds(values: list[str]) -> frozenset[BaseItemKind]:
    by_name = {kind.value.lower(): kind for kind in BaseItemKind}
    return frozenset(by_name[one.lower()] for one in split_list(values) if one.lower() in by_name)


def _names(library: DemoLibrary, values: list[str]) -> frozenset[str]:
    asked = _ids(values)
    names = {artist_id: name for name, artist_id in library.artist_ids.items()}
    # An artist that nobody knows has no songs: an empty name is nobody's.
    return frozenset(names.get(one, "") for one in asked)


def _filters(parameter: Parameter) -> frozenset[str]:
    known = {name.lower(): name for name in FILTERS}
    asked = {known[one.lower()] for one in split_list(parameter("filters")) if one.lower() in known}
    for name, (yes, no) in _YES_NO.items():
        wanted = _flag(parameter(name))
        if wanted is not None:
            asked.add(yes if wanted else no)
    return frozenset(asked)
