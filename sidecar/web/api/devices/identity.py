"""`/api/v1/devices/…/matches`, `…/names`: which item a file belongs to, and what it is called.

A device's managers say which item a file belongs to, and have files renamed.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from sidecar.errors import NotPossible
from sidecar.services.identity.file_names import NamesView
from sidecar.services.identity.review import DoubtsView
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import identity as schemas
from sidecar.web.request.json_body import Body
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

DEVICE = "/<string(maxlength=80):device_id>/matches"
NAMES = "/<string(maxlength=80):device_id>/names"

matches = Endpoints("matches", f"{PREFIX}/devices")
names = Endpoints("names", f"{PREFIX}/devices")

Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Said(Body):
    """Which item a file belongs to.

    Attributes:
        item_id: The former id of its item.
        now: The id of the item it belongs to; null for none of the candidates.
        shown: The ids of the candidates that the answer *none* is about; others, which the library
            may have got since, are asked about. Null for all that there are.
    """

    item_id: Id
    now: Id | None
    shown: Annotated[list[Id], Field(max_length=100)] | None = None


@matches.get(DEVICE, role=Role.SIGNED_IN, returns=schemas.Doubts)
def show(services: WebServices, device_id: str) -> DoubtsView:
    """List the files on a device whose item is ambiguous after its id changed."""
    return services.identity.doubts(person(), device_id)


@matches.post(DEVICE, role=Role.MANAGER, body=Said, returns=schemas.Doubts)
def say(services: WebServices, device_id: str, body: Said) -> DoubtsView:
    """Say which item such a file belongs to."""
    services.identity.answer(person(), device_id, body.item_id, body.now, body.shown)
    return services.identity.doubts(person(), device_id)


class NewNames(Body):
    """Confirms the preview that has this plan id."""

    plan_id: Annotated[str, Field(min_length=1, max_length=64)]


@names.get(NAMES, role=Role.SIGNED_IN, returns=schemas.Names)
def names_shown(services: WebServices, device_id: str) -> NamesView:
    """Preview which files of a device would be renamed; if `unread` is not 0, ask again."""
    return services.file_names.preview(person(), device_id)


@names.post(
    NAMES,
    role=Role.MANAGER,
    body=NewNames,
    returns=schemas.Names,
    status=HTTPStatus.ACCEPTED,
    errors={NotPossible: Refusal(HTTPStatus.CONFLICT)},
)
def rename(services: WebServices, device_id: str, body: NewNames) -> NamesView:
    """Confirm the new names of files; each is renamed where it lies."""
    services.file_names.rename(person(), device_id, body.plan_id)
    return services.file_names.preview(person(), device_id)
