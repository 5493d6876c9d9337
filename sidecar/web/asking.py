"""The arguments of a list: strict for programs, forgiving for people who edit an address."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType

from werkzeug.datastructures import MultiDict

from sidecar.domain.downloads import Status
from sidecar.domain.kinds import TYPES, Kind, named
from sidecar.services.browsing import Asked, Sort
from sidecar.services.desk import Query
from sidecar.services.offline import OfflineQuery
from sidecar.web.problems import Problem

PAGE_SIZE = 10
LARGEST_PAGE = 100
LAST_PAGE = 1_000_000
LONGEST_TEXT = 200
ITEM_ID = re.compile(r"[0-9a-f]{32}")


class Tab(StrEnum):
    """The two halves of the downloads page."""

    ACTIVE = "active"
    COMPLETED = "completed"


STATUSES: Mapping[Tab, frozenset[Status]] = MappingProxyType(
    {
        Tab.ACTIVE: frozenset(
            {Status.PENDING, Status.DOWNLOADING, Status.PAUSED, Status.FAILED},
        ),
        Tab.COMPLETED: frozenset({Status.COMPLETED}),
    }
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the downloads page is asked to show."""

    tab: Tab
    text: str
    page: int

    @property
    def query(self) -> Query:
        """The same as a question to the desk."""
        return Query(
            statuses=STATUSES[self.tab], text=self.text, page=self.page, page_size=PAGE_SIZE
        )


@dataclass(frozen=True, slots=True)
class AskedPlays:
    """Which plays are asked for; `account` None means one's own."""

    account: str | None
    page: int
    page_size: int


def for_page(args: Mapping[str, str]) -> Shown:
    """Read a page's arguments; what makes no sense is as if it were not there."""
    asked = args.get("tab", "")
    number = args.get("page", "")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 8 else 1  # noqa: PLR2004 - digits of LAST_PAGE
    return Shown(
        tab=Tab(asked) if asked in set(Tab) else Tab.ACTIVE,
        text=" ".join(args.get("q", "")[:LONGEST_TEXT].split()),
        page=min(max(page, 1), LAST_PAGE),
    )


def for_api(args: MultiDict[str, str]) -> Query:
    """Read the API's arguments.

    Raises:
        Problem: One is out of range (422).
    """
    return Query(
        statuses=_statuses(args.getlist("status")),
        device_id=_text(args, "device") or None,
        owner=_text(args, "owner") or None,
        text=_text(args, "q"),
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


def for_offline(args: MultiDict[str, str]) -> OfflineQuery:
    """Read the arguments of a list of files.

    Raises:
        Problem: One is out of range (422).
    """
    return OfflineQuery(
        text=_text(args, "q"),
        device=_text(args, "device") or None,
        item_types=frozenset(str(TYPES[kind]) for kind in kinds(args)),
        page=_number(args, "page", default=1, most=LAST_PAGE),
        page_size=_number(args, "page_size", default=PAGE_SIZE, most=LARGEST_PAGE),
    )


def for_items(args: MultiDict[str, str]) -> Asked:
    """Read the arguments of a list of the library.

    Raises:
        Problem: One is out of range (422), or the place has no id (404).
    """
    sort, parent = args.get("sort", ""), args.get("parent", "").strip()
    if sort and sort not in set(Sort):
        known = ", ".join(Sort)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"sort: one of {known}")
    if parent and not ITEM_ID.fullmatch(parent):
        raise Problem(HTTPStatus.NOT_FOUND)
    return Asked(
        parent=parent or None,
        kinds=kinds(args),
        text=_text(args, "q"),
        sort=Sort(sort) if sort else None,
        page=_number(args, "page", default=1, most=LAST_PAGE),
        page_size=_number(args, "page_size", default=PAGE_SIZE, most=LARGEST_PAGE),
    )


def kinds(args: MultiDict[str, str]) -> frozenset[Kind]:
    """Read which kinds of things are asked for; empty means any.

    Raises:
        Problem: One is not a kind (422).
    """
    names = {name.strip() for one in args.getlist("kind") for name in one.split(",")} - {""}
    found = {name: named(name) for name in names}
    if None in found.values():
        known = ", ".join(TYPES)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"kind: one or several of {known}")
    return frozenset(kind for kind in found.values() if kind is not None)


def _statuses(asked: Sequence[str]) -> frozenset[Status]:
    names = {name.strip() for one in asked for name in one.split(",")} - {""}
    if unknown := names - set(Status):
        known = ", ".join(Status)
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"status: {len(unknown)} of these are not one of {known}",
        )
    return frozenset(Status(name) for name in names)


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
