"""`/api/v1/server/look`, `/server/accept`: an admin accepts another Jellyfin server."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field, SecretStr

from sidecar.errors import NotPossible, SignInRefused
from sidecar.services.identity.server_change import OtherServer, ServerPreview
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import identity as schemas
from sidecar.web.request.json_body import Body
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

server = Endpoints("server", f"{PREFIX}/server")


class AdminThere(Body):
    """An admin of the other server; the password is sent there once and not stored."""

    username: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(max_length=200)]


class Taken(Body):
    """Confirms the preview that has this ticket."""

    ticket: Annotated[str, Field(min_length=1, max_length=64)]


@server.post(
    "/look",
    role=Role.ADMIN,
    body=AdminThere,
    returns=schemas.ServerPreview,
    errors={
        SignInRefused: Refusal(HTTPStatus.CONFLICT, "{}."),
        NotPossible: Refusal(HTTPStatus.CONFLICT),
    },
)
def look(services: WebServices, body: AdminThere) -> ServerPreview:
    """Preview the change to another Jellyfin server at the configured address."""
    return services.server_change.look(body.username, SecretStr(body.password))


@server.post(
    "/accept",
    role=Role.ADMIN,
    body=Taken,
    returns=schemas.OtherServer,
    errors={NotPossible: Refusal(HTTPStatus.CONFLICT)},
)
def accept(services: WebServices, body: Taken) -> OtherServer:
    """Accept the previewed Jellyfin server."""
    return services.server_change.accept(body.ticket)
