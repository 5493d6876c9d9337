"""`/api/v1/plays`, `/now` and `/activity`: what was played, what plays now, what happened.

Read-only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from sidecar.services.activity.history import ActivityPage, ActivityQuery, Happening
from sidecar.services.playback.history import NowView, PlaysPage
from sidecar.web.api.endpoints import Endpoints
from sidecar.web.api.schemas import activity as activity_schemas
from sidecar.web.api.schemas import users as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.query_params import (
    LARGEST_ID,
    PAGE_SIZE,
    PageQuery,
    PageSize,
    Query,
    Text,
    one_of,
    whole_number,
)
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

playback = Endpoints("playback")


class HappenedQuery(Query):
    """Filters of what happened; empty means any. `before` is `older` of the answer before."""

    kind: Annotated[Happening | None, one_of(Happening)] = None
    device: Text = ""
    item: Text = ""
    account: Text = ""
    q: Text = ""
    before: Annotated[int | None, whole_number(LARGEST_ID)] = None
    page_size: PageSize = PAGE_SIZE


class PlaysQuery(PageQuery):
    """Whose plays; empty means your own."""

    account: Text = ""


@playback.get("/plays", role=Role.SIGNED_IN, query=PlaysQuery, returns=Listed[schemas.Play])
def plays(services: WebServices, query: PlaysQuery) -> PlaysPage:
    """List plays, newest first."""
    return services.playback.plays(person(), query.account or None, query.page, query.page_size)


@playback.get("/now", role=Role.SIGNED_IN, returns=Listed[schemas.Now])
def now(services: WebServices) -> Sequence[NowView]:
    """List what plays now."""
    return services.playback.now(person())


@playback.get(
    "/activity",
    role=Role.SIGNED_IN,
    query=HappenedQuery,
    returns=activity_schemas.ActivityPage,
)
def activity(services: WebServices, query: HappenedQuery) -> ActivityPage:
    """List what came, went, failed and was confirmed, newest first."""
    return services.activity.entries(
        person(),
        ActivityQuery(
            kinds=frozenset() if query.kind is None else frozenset({Happening(query.kind)}),
            device_id=query.device or None,
            item_id=query.item or None,
            account=query.account or None,
            text=query.q,
            before=query.before,
            page_size=query.page_size,
        ),
    )
