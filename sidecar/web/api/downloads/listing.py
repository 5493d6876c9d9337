"""`/api/v1/downloads`: lists downloads, and shows one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from flask import Response

from sidecar.domain.downloads.download import MISSING, Status
from sidecar.domain.downloads.sorting import Sort
from sidecar.domain.items.item import ItemType
from sidecar.services.downloads.views import DownloadPage, DownloadQuery, DownloadView
from sidecar.web.api.endpoints import Endpoints
from sidecar.web.api.library.covers import WidthQuery, cover_reply, cover_width
from sidecar.web.api.schemas import downloads as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.query_params import (
    LARGEST_ID,
    LONGEST_TEXT,
    MOST_OWNERS,
    Argument,
    PageQuery,
    Text,
    array_of,
    one_of,
    refused,
    whole_number,
    words,
)
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

ONE = "/downloads/<int:download_id>"

listing = Endpoints("api")


def _statuses(values: Iterable[str]) -> frozenset[str]:
    known = (*map(str, Status), MISSING)
    if unknown := (names := words(values)) - set(known):
        raise refused(f"{len(unknown)} of these are not one of {', '.join(known)}")
    return names


def _types(values: Iterable[str]) -> frozenset[str]:
    if (names := words(values)) - set(ItemType):
        raise refused(f"one or several of {', '.join(ItemType)}")
    return names


def _owners(values: Iterable[str]) -> tuple[str, ...]:
    names = tuple(one.strip() for one in values if one.strip())
    if len(names) > MOST_OWNERS or any(len(one) > LONGEST_TEXT for one in names):
        raise refused(f"at most {MOST_OWNERS}, each of at most {LONGEST_TEXT} characters")
    return names


class DownloadsQuery(PageQuery):
    """Filters and order of a list of downloads; empty means any. `as_of` as in `DownloadQuery`."""

    status: Annotated[frozenset[str], Argument(_statuses, array_of((*Status, MISSING)))] = (
        frozenset()
    )
    device: Text = ""
    owner: Annotated[
        tuple[str, ...],
        Argument(_owners, {"type": "array", "items": {"type": "string", "maxLength": 200}}),
    ] = ()
    q: Text = ""
    type: Annotated[frozenset[str], Argument(_types, array_of(ItemType))] = frozenset()
    sort: Annotated[Sort, one_of(Sort)] = Sort.NEWEST
    as_of: Annotated[int | None, whole_number(LARGEST_ID)] = None

    def wanted(self) -> DownloadQuery:
        """Return the query of the service."""
        return DownloadQuery(
            statuses=frozenset(map(Status, self.status - {MISSING})),
            missing=MISSING in self.status,
            device_id=self.device or None,
            owners=self.owner,
            text=self.q,
            item_types=self.type,
            sort=self.sort,
            as_of=self.as_of,
            page=self.page,
            page_size=self.page_size,
        )


@listing.get(
    "/downloads",
    role=Role.SIGNED_IN,
    query=DownloadsQuery,
    returns=Listed[schemas.Download],
)
def downloads(services: WebServices, query: DownloadsQuery) -> DownloadPage:
    """List downloads, newest first."""
    return services.downloads.downloads(person(), query.wanted())


@listing.get(ONE, role=Role.SIGNED_IN, returns=schemas.Download)
def download(services: WebServices, download_id: int) -> DownloadView:
    """Show one download."""
    return services.downloads.download(person(), download_id)


@listing.get(f"{ONE}/cover", role=Role.SIGNED_IN, query=WidthQuery, media="image/*")
def cover(services: WebServices, download_id: int, query: WidthQuery) -> Response:
    """Get the cover of a download."""
    width = cover_width(query.width)
    return cover_reply(lambda: services.downloads.cover(person(), download_id, width), width)
