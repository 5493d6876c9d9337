"""`/api/v1/plays` and `/api/v1/now`: the play history, and what plays now. Read-only."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.services.playback.history import NowView, PlaysPage
from sidecar.web.api.endpoints import Endpoints
from sidecar.web.api.schemas import users as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.query_params import PageQuery, Text
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

playback = Endpoints("playback")


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
