"""The arguments of a list: strict for programs, forgiving for people who edit an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from werkzeug.datastructures import MultiDict

from sidecar.domain.downloads import Status
from sidecar.domain.items import ItemType
from sidecar.domain.sorting import Sort
from sidecar.services.desk import Query
from sidecar.web.problems import Problem

PAGE_SIZE = 10
LARGEST_PAGE = 100
LAST_PAGE = 1_000_000
LONGEST_TEXT = 200
MOST_OWNERS = 50


class Tab(StrEnum):
    """The parts of the downloads page."""

    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    REMOVED = "removed"


STATUSES: Mapping[Tab, frozenset[Status]] = MappingProxyType(
    {
        Tab.ACTIVE: frozenset({Status.PENDING, Status.DOWNLOADING, Status.PAUSED}),
        Tab.COMPLETED: frozenset({Status.COMPLETED}),
        Tab.FAILED: frozenset({Status.FAILED}),
        Tab.REMOVED: frozenset({Status.REMOVED}),
    }
)


class Kind(StrEnum):
    """What people call the types of items."""

    MUSIC = "music"
    FILMS = "films"
    SERIES = "series"
    BOOKS = "books"


TYPES: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        Kind.MUSIC: frozenset({ItemType.AUDIO}),
        Kind.FILMS: frozenset({ItemType.MOVIE, ItemType.VIDEO, ItemType.MUSIC_VIDEO}),
        Kind.SERIES: frozenset({ItemType.EPISODE}),
        Kind.BOOKS: frozenset({ItemType.AUDIO_BOOK}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the downloads page is asked to show.

    Attributes:
        status: Only this state, of those of the tab; None shows all of them.
        kind, device_id: None shows all.
        owners: Names of accounts; only an admin is asked for them. Empty shows all.
    """

    tab: Tab = Tab.ACTIVE
    text: str = ""
    status: Status | None = None
    kind: Kind | None = None
    device_id: str | None = None
    owners: tuple[str, ...] = ()
    sort: Sort = Sort.QUEUE
    page: int = 1

    @property
    def query(self) -> Query:
        """The same as a question to the desk."""
        return Query(
            statuses=frozenset({self.status}) if self.status else STATUSES[self.tab],
            text=self.text,
            item_types=TYPES[self.kind] if self.kind else frozenset(),
            device_id=self.device_id,
            owners=self.owners,
            sort=self.sort,
            page=self.page,
            page_size=PAGE_SIZE,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether less than the whole tab is shown."""
        return bool(self.text or self.status or self.kind or self.device_id or self.owners)

    @property
    def args(self) -> dict[str, Any]:
        """The arguments of its address, texts and lists of them; what is as usual is left out."""
        usual = _usual_sort(self.tab)
        args = {
            "tab": self.tab.value,
            "q": self.text,
            "status": self.status,
            "kind": self.kind,
            "device": self.device_id,
            "owner": list(self.owners),
            "sort": self.sort.value if self.sort is not usual else None,
            "page": str(self.page) if self.page > 1 else None,
        }
        return {name: value for name, value in args.items() if value}

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The same for the hidden fields of a form."""
        return [
            (name, one)
            for name, value in self.args.items()
            for one in ([value] if isinstance(value, str) else value)
        ]

    def at(self, page: int) -> Shown:
        """The same list at another page."""
        return replace(self, page=page)

    def under(self, tab: Tab) -> Shown:
        """The same wishes in another part of the page."""
        return replace(self, tab=tab, status=None, sort=_usual_sort(tab), page=1)


@dataclass(frozen=True, slots=True)
class AskedPlays:
    """Which plays are asked for; `account` None means one's own."""

    account: str | None
    page: int
    page_size: int


LOG_LEVELS = ("INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class AskedLog:
    """Which events of the log are asked for; `level` None means all."""

    level: str | None
    text: str
    page: int
    page_size: int


def for_page(args: MultiDict[str, str]) -> Shown:
    """Read a page's arguments; what makes no sense is as if it were not there."""
    number = args.get("page", "")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 8 else 1  # noqa: PLR2004 - digits of LAST_PAGE
    tab = Tab(args["tab"]) if args.get("tab") in set(Tab) else Tab.ACTIVE
    status = Status(args["status"]) if args.get("status") in STATUSES[tab] else None
    return Shown(
        tab=tab,
        text=" ".join(args.get("q", "")[:LONGEST_TEXT].split()),
        status=status if len(STATUSES[tab]) > 1 else None,
        kind=Kind(args["kind"]) if args.get("kind") in set(Kind) else None,
        device_id=args.get("device", "")[:LONGEST_TEXT] or None,
        owners=tuple(_names(args.getlist("owner"))),
        sort=Sort(args["sort"]) if args.get("sort") in set(Sort) else _usual_sort(tab),
        page=min(max(page, 1), LAST_PAGE),
    )


def _usual_sort(tab: Tab) -> Sort:
    return Sort.QUEUE if tab is Tab.ACTIVE else Sort.NEWEST


def _names(asked: Iterable[str]) -> Sequence[str]:
    return [one[:LONGEST_TEXT] for one in dict.fromkeys(asked) if one.strip()][:MOST_OWNERS]


def for_api(args: MultiDict[str, str]) -> Query:
    """Read the API's arguments.

    Raises:
        Problem: One is out of range (422).
    """
    return Query(
        statuses=_statuses(args.getlist("status")),
        device_id=_text(args, "device") or None,
        owners=_owners(args),
        text=_text(args, "q"),
        item_types=_types(args.getlist("type")),
        sort=_sort(args),
        page=_number(args, "page", default=1, most=LAST_PAGE),
        page_size=_number(args, "page_size", default=PAGE_SIZE, most=LARGEST_PAGE),
    )


def for_plays(args: MultiDict[str, str]) -> AskedPlays:
    """Read the arguments of a list of plays.

    Raises:
        Problem: One is out of range (422).
    """
    return AskedPlays(
        account=_text(args, "account") or None,
        page=_number(args, "page", default=1, most=LAST_PAGE),
        page_size=_number(args, "page_size", default=PAGE_SIZE, most=LARGEST_PAGE),
    )


def _statuses(asked: Sequence[str]) -> frozenset[Status]:
    names = {name.strip() for one in asked for name in one.split(",")} - {""}
    if unknown := names - set(Status):
        known = ", ".join(Status)
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"status: {len(unknown)} of these are not one of {known}",
        )
    return frozenset(Status(name) for name in names)


def for_log(args: MultiDict[str, str]) -> AskedLog:
    """Read the arguments of the log.

    Raises:
        Problem: One is out of range (422).
    """
    level = args.get("level") or None
    if level is not None and level not in LOG_LEVELS:
        known = ", ".join(LOG_LEVELS)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"level: one of {known}")
    return AskedLog(
        level=level,
        text=_text(args, "q"),
        page=_number(args, "page", default=1, most=LAST_PAGE),
        page_size=_number(args, "page_size", default=LARGEST_PAGE, most=LARGEST_PAGE),
    )


def _types(asked: Sequence[str]) -> frozenset[str]:
    names = {name.strip() for one in asked for name in one.split(",")} - {""}
    if names - set(ItemType):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"type: one or several of {', '.join(ItemType)}"
        )
    return frozenset(names)


def _owners(args: MultiDict[str, str]) -> tuple[str, ...]:
    names = tuple(one.strip() for one in args.getlist("owner") if one.strip())
    if len(names) > MOST_OWNERS or any(len(one) > LONGEST_TEXT for one in names):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"owner: at most {MOST_OWNERS}, each of at most {LONGEST_TEXT} characters",
        )
    return names


def _sort(args: MultiDict[str, str]) -> Sort:
    asked = args.get("sort", Sort.NEWEST)
    if asked not in set(Sort):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"sort: one of {', '.join(Sort)}")
    return Sort(asked)


def _text(args: MultiDict[str, str], name: str) -> str:
    text = args.get(name, "").strip()
    if len(text) > LONGEST_TEXT:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}: at most {LONGEST_TEXT} characters")
    return text


def _number(args: MultiDict[str, str], name: str, *, default: int, most: int) -> int:
    text = args.get(name)
    if text is None:
        return default
    digits = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    if not digits or not 1 <= int(text) <= most:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}: a whole number from 1 to {most}")
    return int(text)
