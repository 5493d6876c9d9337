"""`/api/v1/replay`: past plays replayed with other settings, and what is recommended."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from flask import request
from pydantic import Field

from sidecar.errors import ConfigError, NotPossible
from sidecar.services.activity.replays.views import (
    ReplayRefused,
    ReplayRequest,
    ReplayView,
    parse_budgets,
)
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import replay as schemas
from sidecar.web.api.schemas.downloads import Undoable, UndoToken
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import LONGEST_BODY, Body
from sidecar.web.request.query_params import Query, whole_number
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

REFUSED = Refusal(HTTPStatus.UNPROCESSABLE_ENTITY)
replay = Endpoints(
    "replays_api",
    f"{PREFIX}/replay",
    errors={ReplayRefused: REFUSED, ConfigError: REFUSED, NotPossible: REFUSED},
)
MOST_BYTES = 2**60


class ReplayWanted(Body):
    """What is to be replayed.

    Attributes:
        budgets: Sizes of the device, such as "32 GB", or "5%" of the library.
        device_id: The device whose settings count; null for those of the settings file.
        is_household: Everybody's plays, for admins.
        is_uploaded: The plays of the file that was sent before.
    """

    budgets: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=40)]], Field(min_length=1, max_length=8)
    ]
    device_id: Annotated[str, Field(max_length=80)] | None = None
    is_household: bool = False
    is_uploaded: bool = False


class AdviceUsed(Body):
    """The size, in bytes, whose recommended settings are to be set."""

    budget: Annotated[int, Field(ge=0, le=MOST_BYTES)]


class Part(Query):
    """Where in the file this part begins."""

    offset: Annotated[int, whole_number(MOST_BYTES, least=0)] = 0


@replay.get("", role=Role.SIGNED_IN, returns=schemas.Replay)
def show(services: WebServices) -> ReplayView:
    """Show how far your replay is, and its result."""
    return services.replays.view(person())


@replay.post(
    "",
    role=Role.SIGNED_IN,
    body=ReplayWanted,
    returns=schemas.Replay,
    status=HTTPStatus.ACCEPTED,
)
def begin(services: WebServices, body: ReplayWanted) -> ReplayView:
    """Replay past plays in the background."""
    services.replays.begin(
        person(),
        ReplayRequest(
            budgets=parse_budgets(body.budgets),
            device_id=body.device_id,
            is_household=body.is_household,
            is_uploaded=body.is_uploaded,
        ),
    )
    return services.replays.view(person())


@replay.delete("", role=Role.SIGNED_IN)
def cancel(services: WebServices) -> None:
    """End your replay; if none runs, forget its result."""
    services.replays.cancel(person())


@replay.put("/history", role=Role.SIGNED_IN, query=Part, returns=schemas.UploadedBytes)
def put_history(services: WebServices, query: Part) -> dict[str, int]:
    """Send the next part of a file of plays, of less than 64 KiB, as it is."""
    octets = request.get_data(cache=False)
    if len(octets) >= LONGEST_BODY:
        raise ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return {"bytes": services.replays.put_part(person(), query.offset, octets)}


@replay.post("/use", role=Role.SIGNED_IN, body=AdviceUsed, returns=Undoable)
def use(services: WebServices, body: AdviceUsed) -> Undoable:
    """Set what is recommended for a size, on the device whose settings were replayed."""
    return Undoable(undo=UndoToken.of(services.replays.use(person(), body.budget)))
