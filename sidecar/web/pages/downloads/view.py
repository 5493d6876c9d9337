"""The view state of the downloads page, parsed leniently from its URL and rendered back to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from sidecar.domain.downloads.download import MISSING, Status
from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.items.item import ItemType
from sidecar.services.downloads.views import DownloadQuery, DownloadView
from sidecar.web.pages.view_params import parse_owners, parse_page
from sidecar.web.request.query_params import LONGEST_TEXT

ROWS_ON_A_PAGE = (10, 50, 100)
USUAL_ROWS = 50
MOST_OPENED = 100


class Tab(StrEnum):
    """The tabs of the downloads page."""

    ACTIVE = "active"
    COMPLETED = "completed"
    MISSING = MISSING
    FAILED = "failed"
    REMOVED = "removed"


STATUSES: Mapping[Tab, frozenset[Status]] = MappingProxyType(
    {
        Tab.ACTIVE: frozenset({Status.PENDING, Status.DOWNLOADING, Status.PAUSED}),
        Tab.COMPLETED: frozenset({Status.COMPLETED}),
        # Missing is not a status of its own.
        Tab.MISSING: frozenset(),
        Tab.FAILED: frozenset({Status.FAILED}),
        Tab.REMOVED: frozenset({Status.REMOVED}),
    }
)


class Group(StrEnum):
    """The groups of item types to filter by."""

    MUSIC = "music"
    FILMS = "films"
    SERIES = "series"
    BOOKS = "books"


GROUPS: Mapping[Group, frozenset[str]] = MappingProxyType(
    {
        Group.MUSIC: frozenset({ItemType.AUDIO}),
        Group.FILMS: frozenset({ItemType.MOVIE, ItemType.VIDEO, ItemType.MUSIC_VIDEO}),
        Group.SERIES: frozenset({ItemType.EPISODE}),
        Group.BOOKS: frozenset({ItemType.AUDIO_BOOK}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadsViewState:
    """The tab, filters, order and page number of the downloads page.

    Attributes:
        status: Only this status, out of those of the tab; None shows all of them.
        kind, device_id: None shows all.
        owners: Names of accounts, for admins only; empty shows all.
        rows: Downloads on a page.
        is_grouped: Whether albums are grouped; None for the usual, which depends on the length.
        opened: The downloads whose rows are opened on this page.
    """

    tab: Tab = Tab.ACTIVE
    text: str = ""
    status: Status | None = None
    kind: Group | None = None
    device_id: str | None = None
    owners: tuple[str, ...] = ()
    sort: Sort = Sort.QUEUE
    rows: int = USUAL_ROWS
    is_grouped: bool | None = None
    page: int = 1
    opened: frozenset[int] = frozenset()

    @property
    def query(self) -> DownloadQuery:
        """The state as a query for the service."""
        return DownloadQuery(
            statuses=frozenset({self.status}) if self.status else STATUSES[self.tab],
            missing=self.tab is Tab.MISSING,
            text=self.text,
            item_types=GROUPS[self.kind] if self.kind else frozenset(),
            device_id=self.device_id,
            owners=self.owners,
            sort=self.sort,
            page=self.page,
            page_size=self.rows,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter is set."""
        return bool(self.text or self.status or self.kind or self.device_id or self.owners)

    @property
    def args(self) -> dict[str, Any]:
        """The URL's query parameters, without those that have their default value."""
        usual = _usual_sort(self.tab)
        args = {
            "tab": self.tab.value,
            "q": self.text,
            "status": self.status,
            "kind": self.kind,
            "device": self.device_id,
            "owner": list(self.owners),
            "sort": self.sort.value if self.sort is not usual else None,
            "rows": str(self.rows) if self.rows != USUAL_ROWS else None,
            "albums": None if self.is_grouped is None else "yes" if self.is_grouped else "no",
            "page": str(self.page) if self.page > 1 else None,
            "open": [str(one) for one in sorted(self.opened)],
        }
        return {name: value for name, value in args.items() if value}

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The query parameters as hidden fields of a form."""
        return [
            (name, one)
            for name, value in self.args.items()
            for one in ([value] if isinstance(value, str) else value)
        ]

    def at(self, page: int) -> DownloadsViewState:
        """Return the state with another page number."""
        return replace(self, page=page, opened=frozenset())

    def toggled(self, download_id: int) -> DownloadsViewState:
        """Return the state with one row opened that was not, or closed that was open."""
        return replace(self, opened=self.opened ^ {download_id})

    def sorted_by(self, sort: Sort) -> DownloadsViewState:
        """Return the first page of the same list in another order."""
        return replace(self.at(1), sort=sort)

    def under(self, tab: Tab) -> DownloadsViewState:
        """Return the state with another tab and the same filters, apart from the status."""
        return replace(self.at(1), tab=tab, status=None, sort=_usual_sort(tab))


def tab_of(view: DownloadView) -> Tab:
    """Return the tab that has this download."""
    if view.missing_since is not None:
        return Tab.MISSING
    return next(tab for tab in Tab if view.status in STATUSES[tab])


def for_page(args: MultiDict[str, str]) -> DownloadsViewState:
    """Parse query parameters or form fields; invalid values are ignored."""
    tab = Tab(args["tab"]) if args.get("tab") in set(Tab) else Tab.ACTIVE
    status = Status(args["status"]) if args.get("status") in STATUSES[tab] else None
    rows = args.get("rows", "")
    return DownloadsViewState(
        tab=tab,
        text=" ".join(args.get("q", "")[:LONGEST_TEXT].split()),
        status=status if len(STATUSES[tab]) > 1 else None,
        kind=Group(args["kind"]) if args.get("kind") in set(Group) else None,
        device_id=args.get("device", "")[:LONGEST_TEXT] or None,
        owners=parse_owners(args.getlist("owner")),
        sort=Sort(args["sort"]) if args.get("sort") in sorts_of(tab) else _usual_sort(tab),
        rows=int(rows) if rows in {str(one) for one in ROWS_ON_A_PAGE} else USUAL_ROWS,
        is_grouped={"yes": True, "no": False}.get(args.get("albums", "")),
        page=parse_page(args.get("page", "")),
        opened=frozenset(args.getlist("open", type=int)[:MOST_OPENED]),
    )


def sorts_of(tab: Tab) -> Sequence[Sort]:
    """Return the orders that a tab can have: only what is active is in the queue."""
    return [one for one in Sort if one is not Sort.QUEUE or tab is Tab.ACTIVE]


def _usual_sort(tab: Tab) -> Sort:
    return Sort.QUEUE if tab is Tab.ACTIVE else Sort.NEWEST
