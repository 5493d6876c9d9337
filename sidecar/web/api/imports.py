"""`/api/v1/devices/…/adoption` and `…/log`: what is on a device and comes back to us.

Files that were there before us are taken over where they lie; plays come from a player's logs.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field, model_validator

from sidecar.errors import DeviceError
from sidecar.services.adoption.adopt import AdoptedView, AdoptionInUse, OfferView
from sidecar.services.player_logs.views import LogInUse, LogView, TakenView
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import imports as schemas
from sidecar.web.request.json_body import Body
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

MOST_IDS = 1000
CONFLICT = Refusal(HTTPStatus.CONFLICT, "{}.")
BUSY = Refusal(HTTPStatus.CONFLICT, "{}: wait a little.")
DEVICE = "/<string(maxlength=80):device_id>"

adoption = Endpoints(
    "adoption", f"{PREFIX}/devices", errors={AdoptionInUse: BUSY, DeviceError: CONFLICT}
)
logs = Endpoints("device_logs", f"{PREFIX}/devices", errors={LogInUse: BUSY, DeviceError: CONFLICT})

MatchId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class Adopt(Body):
    """Which files: these, or all that are sure."""

    ids: Annotated[tuple[MatchId, ...], Field(max_length=MOST_IDS)] = ()
    all: bool = False

    @model_validator(mode="after")
    def _either_or(self) -> Adopt:
        if self.all == bool(self.ids):
            raise ValueError("give either ids, or all")
        return self


@adoption.get(f"{DEVICE}/adoption", role=Role.SIGNED_IN, returns=schemas.AdoptionOffer)
def show(services: WebServices, device_id: str) -> OfferView:
    """Files there that the library has, but that are not ours."""
    return services.adoption.offer(person(), device_id)


@adoption.post(f"{DEVICE}/adoption", role=Role.MANAGER, body=Adopt, returns=schemas.Adopted)
def adopt(services: WebServices, device_id: str, body: Adopt) -> AdoptedView:
    """Adopt some of them, or all that are sure, where they lie."""
    return services.adoption.adopt(person(), device_id, None if body.all else body.ids)


@logs.get(f"{DEVICE}/log", role=Role.SIGNED_IN, returns=schemas.DeviceLog)
def show_log(services: WebServices, device_id: str) -> LogView:
    """What a music player's logs there would bring."""
    return services.player_logs.log(person(), device_id)


@logs.post(
    f"{DEVICE}/log",
    role=Role.SIGNED_IN,
    returns=schemas.TakenPlays,
    errors={DeviceError: Refusal(HTTPStatus.CONFLICT, "{}. Then ask once more.")},
)
def take(services: WebServices, device_id: str) -> TakenView:
    """Take its plays over as one's own."""
    return services.player_logs.take(person(), device_id)
