"""The arguments of lists in the API: what is out of range is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from werkzeug.datastructures import MultiDict

from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.downloads.states import MISSING, Status
from sidecar.domain.items import ItemType
from sidecar.domain.kinds import TYPES, Kind, named
from sidecar.services.downloads.views import DownloadQuery
from sidecar.services.files.search import FileSearchQuery
from sidecar.services.library import browse
from sidecar.services.library.browse import BrowseQuery
from sidecar.web.request.errors import ApiError

PAGE_SIZE = 10
LARGEST_PAGE = 100
LAST_PAGE = 1_000_000
LARGEST_ID = 2**63 - 1
LONGEST_TEXT = 200
MOST_OWNERS = 50
ITEM_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class PlaysQuery:
    """Which plays are asked for; `account` None means one's own."""

    account: str | None
    page: int
    page_size: int


LOG_LEVELS = ("INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which events of the log are asked for; `level` None means all."""

    level: str | None
    text: str
    page: int
    page_size: int


def download_query(args: MultiDict[str, str]) -> DownloadQuery:
    """Read the API's arguments.

    Raises:
        Problem: One is out of range (422).
    """
    statuses, missing = _statuses(args.getlist("status"))
    return DownloadQuery(
        statuses=statuses,
        missing=missing,
        device_id=_text(args, "device") or None,
        owners=_owners(args),
        text=_text(args, "q"),
        item_types=_types(args.getlist("type")),
        sort=_sort(args),
        as_of=_number(args, "as_of", default=0, most=LARGEST_ID) or None,
        page=_number(args, "page", default=1, most=LAST_PAGE),
        page_size=_number(args, "page_size", default=PAGE_SIZE, most=LARGEST_PAGE),
    )


def plays_query(args: MultiDict[str, str]) -> PlaysQuery:
    """Read the arguments of a list of plays.

    Raises:
        Problem: One is out of range (422).
    """
    return PlaysQuery(
        account=_text(args, "account") or None,
        page=_number(args, "page", default=1, most=LAST_PAGE),
        page_size=_number(args, "page_size", default=PAGE_SIZE, most=LARGEST_PAGE),
    )


def files_query(args: MultiDict[str, str]) -> FileSearchQuery:
    """Read the arguments of a list of files.

    Raises:
        Problem: One is out of range (422).
    """
    return FileSearchQuery(
        text=_text(args, "q"),
        device=_text(args, "device") or None,
        item_types=frozenset(str(TYPES[kind]) for kind in kinds(args)),
        page=_number(args, "page", default=1, most=LAST_PAGE),
        page_size=_number(args, "page_size", default=PAGE_SIZE, most=LARGEST_PAGE),
    )


def items_query(args: MultiDict[str, str]) -> BrowseQuery:
    """Read the arguments of a list of the library.

    Raises:
        Problem: One is out of range (422), or the place has no id (404).
    """
    sort, parent = args.get("sort", ""), args.get("parent", "").strip()
    if sort and sort not in set(browse.BrowseSort):
        known = ", ".join(browse.BrowseSort)
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"sort: one of {known}")
    if parent and not ITEM_ID.fullmatch(parent):
        raise ApiError(HTTPStatus.NOT_FOUND)
    return BrowseQuery(
        parent=parent or None,
        kinds=kinds(args),
        text=_text(args, "q"),
        sort=browse.BrowseSort(sort) if sort else None,
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
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"kind: one or several of {known}")
    return frozenset(kind for kind in found.values() if kind is not None)


def _statuses(asked: Sequence[str]) -> tuple[frozenset[Status], bool]:
    """Return the states, and whether what is missing is asked for as well."""
    names = {name.strip() for one in asked for name in one.split(",")} - {""}
    missing, names = MISSING in names, names - {MISSING}
    if unknown := names - set(Status):
        known = ", ".join([*Status, MISSING])
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"status: {len(unknown)} of these are not one of {known}",
        )
    return frozenset(Status(name) for name in names), missing


def log_query(args: MultiDict[str, str]) -> LogQuery:
    """Read the arguments of the log.

    Raises:
        Problem: One is out of range (422).
    """
    level = args.get("level") or None
    if level is not None and level not in LOG_LEVELS:
        known = ", ".join(LOG_LEVELS)
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"level: one of {known}")
    return LogQuery(
        level=level,
        text=_text(args, "q"),
        page=_number(args, "page", default=1, most=LAST_PAGE),
        page_size=_number(args, "page_size", default=LARGEST_PAGE, most=LARGEST_PAGE),
    )


def _types(asked: Sequence[str]) -> frozenset[str]:
    names = {name.strip() for one in asked for name in one.split(",")} - {""}
    if names - set(ItemType):
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"type: one or several of {', '.join(ItemType)}"
        )
    return frozenset(names)


def _owners(args: MultiDict[str, str]) -> tuple[str, ...]:
    names = tuple(one.strip() for one in args.getlist("owner") if one.strip())
    if len(names) > MOST_OWNERS or any(len(one) > LONGEST_TEXT for one in names):
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"owner: at most {MOST_OWNERS}, each of at most {LONGEST_TEXT} characters",
        )
    return names


def _sort(args: MultiDict[str, str]) -> Sort:
    asked = args.get("sort", Sort.NEWEST)
    if asked not in set(Sort):
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"sort: one of {', '.join(Sort)}")
    return Sort(asked)


def _text(args: MultiDict[str, str], name: str) -> str:
    text = args.get(name, "").strip()
    if len(text) > LONGEST_TEXT:
        raise ApiError(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}: at most {LONGEST_TEXT} characters"
        )
    return text


def _number(args: MultiDict[str, str], name: str, *, default: int, most: int) -> int:
    text = args.get(name)
    if text is None:
        return default
    digits = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    if not digits or not 1 <= int(text) <= most:
        raise ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}: a whole number from 1 to {most}")
    return int(text)
