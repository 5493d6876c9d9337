"""What a page of the library is asked to show: its address, read with patience and written anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from sidecar.domain.items.kinds import Kind
from sidecar.services.library.browse import BrowseQuery, BrowseSort
from sidecar.web.request.query_params import LAST_PAGE, LONGEST_TEXT

PAGE_SIZE = 24
# Tracks and episodes are rows, not tiles; all of a usual album or season on one page.
ROWS_ON_A_PAGE = 50
IN_ROWS = frozenset({Kind.ALBUM, Kind.PLAYLIST, Kind.SEASON})


class LibrarySection(StrEnum):
    """The parts of the library that people go to."""

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
    """What a page of the library is asked to show.

    Attributes:
        shelf: None is the start of the library, or what a search finds anywhere.
        place: Inside this one thing; None is the whole library.
        in_rows: What is shown are tracks or episodes.
        device_id: The device that the buttons are for; None is the first one.
    """

    shelf: LibrarySection | None = None
    place: str | None = None
    in_rows: bool = False
    text: str = ""
    sort: BrowseSort | None = None
    device_id: str | None = None
    page: int = 1

    @property
    def asked(self) -> BrowseQuery:
        """Return the same as a query of the service."""
        return BrowseQuery(
            parent=self.place,
            kinds=KINDS[self.shelf] if self.shelf else frozenset(),
            text=self.text,
            sort=self.sort,
            page=self.page,
            page_size=self.page_size,
        )

    @property
    def page_size(self) -> int:
        """How many things are on a page."""
        rows = self.in_rows or self.shelf in {LibrarySection.TRACKS, LibrarySection.EPISODES}
        return ROWS_ON_A_PAGE if rows else PAGE_SIZE

    @property
    def args(self) -> dict[str, Any]:
        """The arguments of its address; what is as usual is left out."""
        args = {
            "shelf": self.shelf,
            "q": self.text,
            "sort": self.sort,
            "device": self.device_id,
            "page": str(self.page) if self.page > 1 else None,
        }
        return {name: str(value) for name, value in args.items() if value}

    @property
    def way(self) -> dict[str, str]:
        """What `url_for` needs for its address."""
        return self.args | ({"item_id": self.place} if self.place else {})

    def at(self, page: int) -> LibraryViewState:
        """The same list at another page."""
        return replace(self, page=page)

    def on(self, shelf: LibrarySection | None) -> LibraryViewState:
        """The same search on another shelf."""
        return replace(self, shelf=shelf, sort=None, page=1)

    def elsewhere(self) -> dict[str, str]:
        """The arguments that hold for every page of the library."""
        return {"device": self.device_id} if self.device_id else {}


def for_page(
    args: MultiDict[str, str], place: str | None = None, *, in_rows: bool = False
) -> LibraryViewState:
    """Read a page's arguments; what makes no sense is as if it were not there."""
    number = args.get("page", "")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 8 else 1  # noqa: PLR2004 - digits of LAST_PAGE
    return LibraryViewState(
        shelf=LibrarySection(args["shelf"])
        if args.get("shelf") in set(LibrarySection) and not place
        else None,
        place=place,
        in_rows=in_rows,
        text=" ".join(args.get("q", "")[:LONGEST_TEXT].split()),
        sort=BrowseSort(args["sort"]) if args.get("sort") in set(BrowseSort) else None,
        device_id=args.get("device", "")[:LONGEST_TEXT] or None,
        page=min(max(page, 1), LAST_PAGE),
    )
