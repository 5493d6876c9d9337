"""What the page "On the device" is asked to show: its address, read with patience, written anew."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from werkzeug.datastructures import MultiDict

from sidecar.services.files.search import FileQuery
from sidecar.web.pages.downloads.view import GROUPS, Group
from sidecar.web.request.query_params import LAST_PAGE, LONGEST_TEXT, MOST_OWNERS

TILES_ON_A_PAGE = 24
ROWS_ON_A_PAGE = (10, 20, 50)
USUAL_ROWS = 20
# Where one is beside the lists: the page of what goes next. No tile has such a key.
NEXT = "next"
LONGEST_KEY = 2000


class Look(StrEnum):
    """How the files are shown."""

    TILES = "tiles"
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesViewState:
    """What the page is asked to show.

    Attributes:
        kind, device_id: None shows all.
        owners: Names of accounts; only an admin is asked for them. Empty shows all.
        rows: Files on a page.
        page: Of the list, from 1.
        at: The key of the tile that is looked into, or `NEXT`; empty is the list itself.
        part: The page inside the tile, from 1.
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
        """Return the same as a query of the service."""
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
        """Whether less than everything is shown."""
        return bool(self.text or self.kind or self.device_id or self.owners)

    @property
    def args(self) -> dict[str, Any]:
        """The arguments of its address; what is as usual is left out."""
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
        """The same for the hidden fields of a form, and where one is."""
        args = self.args | ({"at": self.at} if self.at else {})
        return [
            (name, one)
            for name, value in args.items()
            for one in ([value] if isinstance(value, str) else value)
        ]

    def on(self, page: int) -> FilesViewState:
        """The same at another page, of the list or inside the tile."""
        return replace(self, part=page) if self.at else replace(self, page=page)

    def like(self, look: Look) -> FilesViewState:
        """The same wishes, shown in another way."""
        return replace(self, look=look, page=1, at="", part=1)

    def inside(self, key: str) -> FilesViewState:
        """Look into a tile; the way back leads here."""
        return replace(self, at=key, part=1)

    def only_on(self, device_id: str | None) -> FilesViewState:
        """The same place, with the files of one device; None for those of all."""
        return replace(self, device_id=device_id, page=1, part=1)

    def last(self, total: int) -> int:
        """Return the number of the last page of so many."""
        return max(1, math.ceil(total / self.wanted.page_size))


def for_page(args: MultiDict[str, str], *, at: str | None = None) -> FilesViewState:
    """Read a page's arguments; what makes no sense is as if it were not there.

    Args:
        args: Of the address, or of a form that comes from the page.
        at: Where one is, if the address says it otherwise.
    """
    rows = args.get("rows", "")
    return FilesViewState(
        look=Look(args["look"]) if args.get("look") in set(Look) else Look.TILES,
        text=" ".join(args.get("q", "")[:LONGEST_TEXT].split()),
        kind=Group(args["kind"]) if args.get("kind") in set(Group) else None,
        device_id=args.get("device", "")[:LONGEST_TEXT] or None,
        owners=tuple(_names(args.getlist("owner"))),
        rows=int(rows) if rows in {str(one) for one in ROWS_ON_A_PAGE} else USUAL_ROWS,
        page=_number(args.get("page", "")),
        at=(args.get("at", "") if at is None else at)[:LONGEST_KEY],
        part=_number(args.get("part", "")),
    )


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 1  # noqa: PLR2004 - digits of LAST_PAGE
    return min(max(number, 1), LAST_PAGE)


def _names(asked: list[str]) -> list[str]:
    return [one[:LONGEST_TEXT] for one in dict.fromkeys(asked) if one.strip()][:MOST_OWNERS]
