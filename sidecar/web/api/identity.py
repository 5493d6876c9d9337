"""`/api/v1/devices/…/matches`, `…/server/look`, `…/server/accept`: files and servers known again.

What a file is by now is said by whoever manages its device; another server is taken by an admin.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field, SecretStr

from sidecar.errors import SignInRefused
from sidecar.services.identity.review import DoubtsView
from sidecar.services.identity.server_change import OtherServer, ServerPreview
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import identity as schemas
from sidecar.web.request.json_body import Body
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

DEVICE = "/<string(maxlength=80):device_id>/matches"

matches = Endpoints("matches", f"{PREFIX}/devices")
server = Endpoints("server", f"{PREFIX}/server")

Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Said(Body):
    """What a file is by now.

    Attributes:
        item_id: The id that its item had.
        now: The item that it is; null for none of those that it may be.
    """

    item_id: Id
    now: Id | None


class AdminThere(Body):
    """An admin of the other server; the password is sent to it once and not kept."""

    username: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(max_length=200)]


class Taken(Body):
    """A yes to what was shown."""

    ticket: Annotated[str, Field(min_length=1, max_length=64)]


@matches.get(DEVICE, role=Role.SIGNED_IN, returns=schemas.Doubts)
def show(services: WebServices, device_id: str) -> DoubtsView:
    """Files there that may be one of several items by now."""
    return services.identity.doubts(person(), device_id)


@matches.post(DEVICE, role=Role.MANAGER, body=Said, returns=schemas.Doubts)
def say(services: WebServices, device_id: str, body: Said) -> DoubtsView:
    """Say what one of them is."""
    services.identity.answer(person(), device_id, body.item_id, body.now)
    return services.identity.doubts(person(), device_id)


@server.post(
    "/look",
    role=Role.ADMIN,
    body=AdminThere,
    returns=schemas.ServerPreview,
    errors={SignInRefused: Refusal(HTTPStatus.CONFLICT, "{}.")},
)
def look(services: WebServices, body: AdminThere) -> ServerPreview:
    """Show what would follow to another server that answers at the address (admins)."""
    return services.server_change.look(body.username, SecretStr(body.password))


@server.post("/accept", role=Role.ADMIN, body=Taken, returns=schemas.OtherServer)
def accept(services: WebServices, body: Taken) -> OtherServer:
    """Take the server that was looked at for ours (admins)."""
    return services.server_change.accept(body.ticket)
