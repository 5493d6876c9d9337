"""The view state of the page "On the device", parsed leniently from its URL."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from werkzeug.datastructures import MultiDict

from sidecar.services.files.search import FileQuery
from sidecar.web.pages.downloads.view import GROUPS, Group
from sidecar.web.pages.view_params import parse_owners, parse_page
from sidecar.web.request.query_params import LONGEST_TEXT

TILES_ON_A_PAGE = 24
ROWS_ON_A_PAGE = (10, 20, 50)
USUAL_ROWS = 20
# The value of `at` for the page of the next removals; no tile has this key.
NEXT = "next"
LONGEST_KEY = 2000


class Look(StrEnum):
    """The layout of the page: tiles of albums, series and films, or a list of files."""

    TILES = "tiles"
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesViewState:
    """The layout, filters and place on the page.

    Attributes:
        kind, device_id: None shows all.
        owners: Names of accounts, for admins only; empty shows all.
        rows: Files per page.
        page: The page number of the list, from 1.
        at: The key of the open tile, or `NEXT`; empty for the list.
        part: The page number inside the tile, from 1.
    """

    look: Look = Look.TILES
    text: str = ""
    kind: Group | None = None
    device_id: str | None = None
    owners: tuple[str, ...] = ()
    rows: int = USUAL_ROWS
    page: int = 1
    at: str = ""
    part: int = 1

    @property
    def wanted(self) -> FileQuery:
        """The state as a query for the service."""
        tiles = self.look is Look.TILES and not self.at
        return FileQuery(
            text=self.text,
            device_id=self.device_id,
            item_types=GROUPS[self.kind] if self.kind else frozenset(),
            owners=self.owners,
            page=self.part if self.at else self.page,
            page_size=TILES_ON_A_PAGE if tiles else self.rows,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter is set."""
        return bool(self.text or self.kind or self.device_id or self.owners)

    @property
    def args(self) -> dict[str, Any]:
        """The URL's query parameters, without those that have their default value."""
        args = {
            "look": self.look.value if self.look is not Look.TILES else None,
            "q": self.text,
            "kind": self.kind,
            "device": self.device_id,
            "owner": list(self.owners),
            "rows": str(self.rows) if self.rows != USUAL_ROWS else None,
            "page": str(self.page) if self.page > 1 else None,
            "part": str(self.part) if self.at and self.part > 1 else None,
        }
        return {name: value for name, value in args.items() if value}

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The query parameters and the place (`at`) as hidden fields of a form."""
        args = self.args | ({"at": self.at} if self.at else {})
        return [
            (name, one)
            for name, value in args.items()
            for one in ([value] if isinstance(value, str) else value)
        ]

    def on(self, page: int) -> FilesViewState:
        """Return the state with another page number, of the list or inside the tile."""
        return replace(self, part=page) if self.at else replace(self, page=page)

    def like(self, look: Look) -> FilesViewState:
        """Return the state with another layout and the same filters."""
        return replace(self, look=look, page=1, at="", part=1)

    def inside(self, key: str) -> FilesViewState:
        """Return the state inside a tile; it keeps the list's page for the way back."""
        return replace(self, at=key, part=1)

    def only_on(self, device_id: str | None) -> FilesViewState:
        """Return the state with the files of one device only; None for all devices."""
        return replace(self, device_id=device_id, page=1, part=1)

    def last(self, total: int) -> int:
        """Return the number of the last page for so many entries."""
        return max(1, math.ceil(total / self.wanted.page_size))


def for_page(args: MultiDict[str, str], *, at: str | None = None) -> FilesViewState:
    """Parse query parameters or form fields; invalid values are ignored.

    Args:
        args: The parameters or fields.
        at: The place, if it is in the URL's path; None reads it from `args`.
    """
    rows = args.get("rows", "")
    return FilesViewState(
        look=Look(args["look"]) if args.get("look") in set(Look) else Look.TILES,
        text=" ".join(args.get("q", "")[:LONGEST_TEXT].split()),
        kind=Group(args["kind"]) if args.get("kind") in set(Group) else None,
        device_id=args.get("device", "")[:LONGEST_TEXT] or None,
        owners=parse_owners(args.getlist("owner")),
        rows=int(rows) if rows in {str(one) for one in ROWS_ON_A_PAGE} else USUAL_ROWS,
        page=parse_page(args.get("page", "")),
        at=(args.get("at", "") if at is None else at)[:LONGEST_KEY],
        part=parse_page(args.get("part", "")),
    )
