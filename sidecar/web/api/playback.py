"""`/api/v1/plays` and `/api/v1/now`: what was heard, and what is heard. Reads only."""

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
    """Whose plays: one's own if no account is named."""

    account: Text = ""


@playback.get("/plays", role=Role.SIGNED_IN, query=PlaysQuery, returns=Listed[schemas.Play])
def plays(services: WebServices, query: PlaysQuery) -> PlaysPage:
    """What was heard, newest first."""
    return services.playback.plays(person(), query.account or None, query.page, query.page_size)


@playback.get("/now", role=Role.SIGNED_IN, returns=Listed[schemas.Now])
def now(services: WebServices) -> Sequence[NowView]:
    """What plays."""
    return services.playback.now(person())
