"""`/api/v1/devices`: devices, their plans, and the questions about missing files."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from sidecar.errors import DeviceError, NotAManager
from sidecar.services.devices.views import DeviceView
from sidecar.services.files.removals.review import RemovalsView
from sidecar.services.space.planner import PlanChanged
from sidecar.services.space.plans import DevicePlan
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal
from sidecar.web.api.schemas import devices as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import Body
from sidecar.web.request.query_params import Query
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

NOTHING_ASKED = (
    "Nothing is asked about this device any more: its files are back, or it was answered."
)
CONFLICT = Refusal(HTTPStatus.CONFLICT, "{}.")

devices = Endpoints("devices", f"{PREFIX}/devices")


class PlanQuery(Query):
    """The parameters of a plan: how many lines of each kind are listed at most, all without it."""

    lines: Annotated[int, Field(ge=0)] | None = None


class Confirmation(Body):
    """Confirms the removals of a plan."""

    plan_id: Annotated[str, Field(min_length=1, max_length=64)]


class NewFormat(Body):
    """Confirms converting the files of a device again, to the format that is set."""

    format: Annotated[str, Field(min_length=1, max_length=32)]


class RemovalAnswer(Body):
    """`gone`: the files were removed on purpose and stay away; else they are fetched again."""

    gone: bool


@devices.get("", role=Role.SIGNED_IN, returns=Listed[schemas.Device])
def listed(services: WebServices) -> Sequence[DeviceView]:
    """List the devices that you use."""
    return services.devices.devices(person())


@devices.get("/<device_id>/plan", role=Role.SIGNED_IN, query=PlanQuery, returns=schemas.Plan)
def plan(services: WebServices, device_id: str, query: PlanQuery) -> DevicePlan:
    """Show what would be added to a device and removed from it."""
    return services.plans.one(person(), device_id, query.lines)


@devices.post(
    "/<device_id>/plan/confirm",
    may_be_ordered=True,
    role=Role.MANAGER,
    body=Confirmation,
    returns=schemas.Plan,
    status=HTTPStatus.ACCEPTED,
    errors={PlanChanged: CONFLICT, DeviceError: CONFLICT},
)
def confirm(services: WebServices, device_id: str, body: Confirmation) -> DevicePlan:
    """Confirm the removals of a plan."""
    services.orders.press(services.orders.kinds.confirm_plan, person(), device_id, body.plan_id)
    return services.plans.one(person(), device_id)


@devices.post(
    "/<device_id>/plan/reformat",
    role=Role.MANAGER,
    body=NewFormat,
    returns=schemas.Plan,
    status=HTTPStatus.ACCEPTED,
    errors={PlanChanged: CONFLICT},
)
def reformat(services: WebServices, device_id: str, body: NewFormat) -> DevicePlan:
    """Confirm converting the files of a device again, to its format."""
    services.plans.reformat(person(), device_id, body.format)
    return services.plans.one(person(), device_id)


@devices.get("/<device_id>/removals", role=Role.SIGNED_IN, returns=schemas.Removals)
def removals(services: WebServices, device_id: str) -> RemovalsView:
    """Show the open question about files that are missing from a device."""
    return services.removals.removals(person(), device_id)


@devices.post(
    "/<device_id>/removals",
    may_be_ordered=True,
    role=Role.MANAGER,
    body=RemovalAnswer,
    returns=schemas.Files,
    errors={DeviceError: Refusal(HTTPStatus.CONFLICT, "{}. Then answer once more.")},
)
def answer_removals(services: WebServices, device_id: str, body: RemovalAnswer) -> schemas.Files:
    """Answer whether the missing files were removed on purpose."""
    asked = services.removals.removals(person(), device_id)
    if not asked.management.may_manage:
        raise NotAManager(asked.management.refusal)
    if asked.text is None:
        raise ApiError(HTTPStatus.CONFLICT, NOTHING_ASKED)
    files = services.orders.press(
        services.orders.kinds.answer_removals, person(), device_id, body.gone, asked.ids
    )
    return schemas.Files(files=files)
