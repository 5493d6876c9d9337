"""`/api/v1/machines`: how another machine joins the installation."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field, SecretStr

from sidecar.services.operations.machines import JoinCode, Joining, JoinRefused
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import machines as schemas
from sidecar.web.request.json_body import Body
from sidecar.web.security.auth import is_on_this_machine
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

machines = Endpoints(
    "machines_api",
    f"{PREFIX}/machines",
    errors={JoinRefused: Refusal(HTTPStatus.UNPROCESSABLE_ENTITY)},
)


class Join(Body):
    """A machine that joins.

    Attributes:
        code: That an admin has made for it.
        machine: What it calls itself.
    """

    code: Annotated[SecretStr, Field(min_length=1, max_length=40)]
    machine: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


@machines.post("/code", role=Role.OWNER, returns=schemas.JoinCode, status=HTTPStatus.CREATED)
def make_code(services: WebServices) -> JoinCode:
    """Make a code with which one machine can join within 15 minutes."""
    return services.machines.make_code()


@machines.post("/join", role=Role.ANYBODY, body=Join, returns=schemas.Joined)
def join(services: WebServices, body: Join) -> schemas.Joined:
    """Take a code, once: answers with what opens the installation's database."""
    found = services.machines.redeem(
        body.code.get_secret_value(), body.machine, is_local=is_on_this_machine()
    )
    return _shown(found)


def _shown(found: Joining) -> schemas.Joined:
    return schemas.Joined(
        database_url=found.database_url.get_secret_value(),
        redis_url=found.redis_url.get_secret_value() if found.redis_url else None,
        token_key=found.token_key.get_secret_value(),
        jellyfin_url=found.jellyfin_url,
    )
