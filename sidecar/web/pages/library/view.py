"""The view state of a library page, parsed leniently from its URL and rendered back to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from string import ascii_uppercase
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from sidecar.domain.items.kinds import Kind
from sidecar.services.library.browse import BrowseQuery, BrowseSort
from sidecar.web.pages.view_params import parse_page
from sidecar.web.request.query_params import LONGEST_TEXT

PAGE_SIZE = 24
# Tracks and episodes are shown as rows; a usual album or season fits on one page.
ROWS_ON_A_PAGE = 50
# A list of what is not on a device leaves out what is: so many are looked through for a page.
LOOKED_THROUGH = 96
INITIALS = ("#", *ascii_uppercase)
DECADES = tuple(range(2020, 1910, -10))
IN_ROWS = frozenset({Kind.ALBUM, Kind.PLAYLIST, Kind.SEASON})


class LibrarySection(StrEnum):
    """The sections of the library."""

    ALBUMS = "albums"
    ARTISTS = "artists"
    PLAYLISTS = "playlists"
    FILMS = "films"
    SERIES = "series"
    BOOKS = "audiobooks"
    TRACKS = "tracks"
    EPISODES = "episodes"


KINDS: Mapping[LibrarySection, frozenset[Kind]] = MappingProxyType(
    {
        LibrarySection.ALBUMS: frozenset({Kind.ALBUM}),
        LibrarySection.ARTISTS: frozenset({Kind.ARTIST}),
        LibrarySection.PLAYLISTS: frozenset({Kind.PLAYLIST}),
        LibrarySection.FILMS: frozenset({Kind.FILM, Kind.VIDEO, Kind.MUSIC_VIDEO}),
        LibrarySection.SERIES: frozenset({Kind.SERIES}),
        LibrarySection.BOOKS: frozenset({Kind.AUDIOBOOK}),
        LibrarySection.TRACKS: frozenset({Kind.TRACK}),
        LibrarySection.EPISODES: frozenset({Kind.EPISODE}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryViewState:
    """The section, search, order and page number of a library page.

    Attributes:
        shelf: The section; None for the overview, or for a search in all sections.
        place: The id of the container that is shown; None for the whole library.
        in_rows: Show rows, for tracks or episodes.
        initial: What the names begin with; "#" for digits and signs.
        genre, decade: Only this genre, and what is of these ten years.
        is_missing: Only what is not on the device.
        device_id: The device that the buttons are for; None for the first one.
    """

    shelf: LibrarySection | None = None
    place: str | None = None
    in_rows: bool = False
    text: str = ""
    sort: BrowseSort | None = None
    initial: str = ""
    genre: str = ""
    decade: int | None = None
    is_missing: bool = False
    device_id: str | None = None
    page: int = 1

    @property
    def asked(self) -> BrowseQuery:
        """The state as a query for the service."""
        return BrowseQuery(
            parent=self.place,
            kinds=KINDS[self.shelf] if self.shelf else frozenset(),
            text=self.text,
            initial=self.initial,
            genre=self.genre,
            decade=self.decade,
            is_played=self.sort is BrowseSort.PLAYED,
            sort=self.sort,
            page=self.page,
            page_size=self.page_size,
        )

    @property
    def page_size(self) -> int:
        """The number of items on a page."""
        if self.is_missing:
            return LOOKED_THROUGH
        rows = self.in_rows or self.shelf in {LibrarySection.TRACKS, LibrarySection.EPISODES}
        return ROWS_ON_A_PAGE if rows else PAGE_SIZE

    @property
    def args(self) -> dict[str, Any]:
        """The URL's query parameters, without those that have their default value."""
        args = {
            "shelf": self.shelf,
            "q": self.text,
            "initial": self.initial,
            "genre": self.genre,
            "decade": self.decade,
            "missing": "yes" if self.is_missing else None,
            "sort": self.sort,
            "device": self.device_id,
            "page": str(self.page) if self.page > 1 else None,
        }
        return {name: str(value) for name, value in args.items() if value}

    @property
    def way(self) -> dict[str, str]:
        """The arguments of `url_for` for its URL."""
        return self.args | ({"item_id": self.place} if self.place else {})

    def at(self, page: int) -> LibraryViewState:
        """Return the state with another page number."""
        return replace(self, page=page)

    def on(self, shelf: LibrarySection | None) -> LibraryViewState:
        """Return the state with the same search in another section."""
        return LibraryViewState(shelf=shelf, text=self.text, device_id=self.device_id)

    def beginning_with(self, initial: str) -> LibraryViewState:
        """Return the first page of the same list with the names that begin so; "" means any."""
        return replace(self, page=1, initial=initial)

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter is set."""
        return bool(self.initial or self.genre or self.decade or self.is_missing)

    def elsewhere(self) -> dict[str, str]:
        """Return the query parameters that are kept on every page of the library."""
        return {"device": self.device_id} if self.device_id else {}


def for_page(
    args: MultiDict[str, str], place: str | None = None, *, in_rows: bool = False
) -> LibraryViewState:
    """Parse query parameters; invalid values are ignored."""
    initial, decade = args.get("initial", "").upper(), args.get("decade", "")
    return LibraryViewState(
        initial=initial if initial in INITIALS else "",
        genre=args.get("genre", "")[:LONGEST_TEXT].strip(),
        decade=int(decade) if decade in {str(one) for one in DECADES} else None,
        is_missing=args.get("missing") == "yes",
        shelf=LibrarySection(args["shelf"])
        if args.get("shelf") in set(LibrarySection) and not place
        else None,
        place=place,
        in_rows=in_rows,
        text=" ".join(args.get("q", "")[:LONGEST_TEXT].split()),
        sort=BrowseSort(args["sort"]) if args.get("sort") in set(BrowseSort) else None,
        device_id=args.get("device", "")[:LONGEST_TEXT] or None,
        page=parse_page(args.get("page", "")),
    )
