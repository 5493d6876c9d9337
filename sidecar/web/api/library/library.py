"""`/api/v1/items`: a person's Jellyfin library, with the state of each item on their devices."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from flask import Response, url_for

from sidecar.errors import NotPossible
from sidecar.services.files.streaming import Local
from sidecar.services.library.browse import BrowseQuery, BrowseSort, LibraryEntry, LibraryPage
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.library.covers import cover_reply, cover_width
from sidecar.web.api.schemas import library as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.query_params import (
    Argument,
    Kinds,
    PageQuery,
    Query,
    Text,
    Width,
    check_item_id,
    one_of,
)
from sidecar.web.routing import ITEM
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

items = Endpoints(
    "items",
    f"{PREFIX}/items",
    errors={NotPossible: Refusal(HTTPStatus.UNPROCESSABLE_ENTITY)},
)


def _parent(text: str) -> str | None:
    text = text.strip()
    return check_item_id(text) if text else None


class LibraryQuery(PageQuery):
    """What to list of the library, or to search for in it."""

    parent: Annotated[
        str | None, Argument(_parent, {"type": "string", "pattern": "^[0-9a-f]{32}$"})
    ] = None
    kind: Kinds = frozenset()
    q: Text = ""
    sort: Annotated[BrowseSort | None, one_of(BrowseSort, may_be_empty=True)] = None


class SizeQuery(Query):
    """The wanted width of a picture, in pixels."""

    size: Width = 0


@items.get("", role=Role.SIGNED_IN, query=LibraryQuery, returns=Listed[schemas.LibraryItem])
def listed(services: WebServices, query: LibraryQuery) -> LibraryPage:
    """Browse or search the library."""
    wanted = BrowseQuery(
        parent=query.parent,
        kinds=query.kind,
        text=query.q,
        sort=query.sort,
        page=query.page,
        page_size=query.page_size,
    )
    return services.library.listed(person(), wanted)


@items.get(f"/{ITEM}", role=Role.SIGNED_IN, returns=schemas.LibraryItem)
def show(services: WebServices, item_id: str) -> LibraryEntry:
    """Show one item of the library."""
    return services.library.show(person(), item_id)


@items.get(f"/{ITEM}/cover", role=Role.SIGNED_IN, query=SizeQuery, media="image/*")
def cover(services: WebServices, item_id: str, query: SizeQuery) -> Response:
    """Get the cover of an item."""
    width = cover_width(query.size)
    return cover_reply(lambda: services.library.cover(person(), item_id, width), width)


@items.get(f"/{ITEM}/source", role=Role.SIGNED_IN, returns=schemas.Local | schemas.Remote)
def source(services: WebServices, item_id: str) -> schemas.Local | schemas.Remote:
    """Show where an item is played from: a device or Jellyfin."""
    found = services.media.source(person(), item_id)
    if isinstance(found, Local):
        url = schemas.media_url(found.download_id)
        return schemas.Local(source="local", path=str(found.path), url=url)
    return schemas.Remote(source="remote", stream_url=url_for("media.item", item_id=found.item_id))


@items.put(f"/{ITEM}/heart", role=Role.SIGNED_IN, returns=schemas.Heart)
def heart(services: WebServices, item_id: str) -> schemas.Heart:
    """Mark an item as a favourite in Jellyfin."""
    pressed = services.library.heart(person(), item_id, value=True)
    return schemas.Heart(item_id=item_id, favourite=pressed)


@items.delete(f"/{ITEM}/heart", role=Role.SIGNED_IN, returns=schemas.Heart)
def no_heart(services: WebServices, item_id: str) -> schemas.Heart:
    """Unmark an item as a favourite in Jellyfin."""
    pressed = services.library.heart(person(), item_id, value=False)
    return schemas.Heart(item_id=item_id, favourite=pressed)
