"""`/api/v1/settings`, `/drives`, `/devices`: the settings, and which devices there are (owners)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from werkzeug.wrappers import Response

from sidecar.device.drives import Drive
from sidecar.domain.files.presets import PresetName
from sidecar.errors import NotPossible, NotVisible
from sidecar.services.configuration.service import SectionView, SettingsRefused
from sidecar.services.devices.editor import EditView
from sidecar.web.actions import LONGEST_NAME, LONGEST_PATH
from sidecar.web.api.endpoints import Endpoints, Refusal
from sidecar.web.api.schemas import configuration as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.errors import answer
from sidecar.web.request.json_body import Body
from sidecar.web.request.query_params import Query, one_of
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

MOST_KEYS = 100
FURTHEST = 2**62
ONE = "/devices/<string(maxlength=80):device_id>"

Text = Annotated[str, Field(max_length=1000)]
Number = Annotated[int, Field(ge=-FURTHEST, le=FURTHEST)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Names = Annotated[list[Name], Field(max_length=100)]
Place = Annotated[str, Field(min_length=1, max_length=80)]
Value = bool | Number | Text | Annotated[list[Text], Field(max_length=100)] | None


class SettingsPatch(Body):
    """Changed settings by their whole names, such as "transfer.workers"; null resets one."""

    settings: Annotated[dict[Place, Value], Field(min_length=1, max_length=MOST_KEYS)]


class NewDevice(Body):
    """A folder that becomes a device: a mounted drive, or one below an allowed folder."""

    name: Name
    path: Annotated[str, Field(min_length=1, max_length=LONGEST_PATH)]
    preset: PresetName | None = None
    budget: Annotated[str, Field(max_length=LONGEST_NAME)] | None = None
    users: Names = Field(default_factory=list)


class DeviceChange(Body):
    """Another name, other users or managers; what is left out stays as it is."""

    name: Name | None = None
    users: Names | None = None
    managers: Names | None = None


class ForgetQuery(Query):
    """What becomes of the device's files: they stay, or our downloads are deleted."""

    files: Annotated[str, one_of(("keep", "delete"))] = "keep"


def _refused(error: SettingsRefused) -> Response:
    """Answer which values are refused, and why."""
    facts = {"reasons": {place: str(reason) for place, reason in error.reasons.items()}}
    return answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}.", facts=facts)


settings = Endpoints("configuration", errors={SettingsRefused: _refused})
editor = Endpoints(
    "device_list",
    errors={
        SettingsRefused: _refused,
        NotPossible: Refusal(HTTPStatus.CONFLICT, "{}."),
    },
)


@settings.get("/settings", role=Role.OWNER, returns=Listed[schemas.SettingsSection])
def show(services: WebServices) -> Sequence[SectionView]:
    """Show all settings, where each is set, and which may be changed."""
    return services.configuration.sections()


@settings.patch(
    "/settings", role=Role.OWNER, body=SettingsPatch, returns=Listed[schemas.SettingsSection]
)
def change(services: WebServices, body: SettingsPatch) -> Sequence[SectionView]:
    """Change some settings, all or none; null resets one."""
    services.configuration.change(body.settings)
    return services.configuration.sections()


@editor.get("/drives", role=Role.OWNER, returns=Listed[schemas.MountedDrive])
def drives(services: WebServices) -> Sequence[Drive]:
    """List the mounted drives that are no device yet."""
    return services.device_editor.drives()


@editor.post(
    "/devices",
    role=Role.OWNER,
    body=NewDevice,
    returns=schemas.NamedDevice,
    status=HTTPStatus.CREATED,
)
def add(services: WebServices, body: NewDevice) -> schemas.NamedDevice:
    """Add a device; it appears in the list once it was looked at."""
    given = body.model_dump(exclude_none=True, mode="json")
    added = services.device_editor.add(given)
    return schemas.NamedDevice(name=added.name, path=str(added.path))


@editor.patch(ONE, role=Role.OWNER, body=DeviceChange, returns=schemas.EditedDevice)
def edit(services: WebServices, device_id: str, body: DeviceChange) -> EditView:
    """Change the name, the users or the managers of a device of the page."""
    services.device_editor.change(device_id, body.model_dump(exclude_none=True))
    return _view(services, device_id)


@editor.delete(
    ONE, may_be_ordered=True, role=Role.OWNER, query=ForgetQuery, returns=schemas.Deleted
)
def forget(services: WebServices, device_id: str, query: ForgetQuery) -> schemas.Deleted:
    """Use a device no more, and forget its pins and settings."""
    if query.files == "delete":
        deleted = services.orders.press(services.orders.kinds.forget, person(), device_id)
    else:
        deleted = services.device_editor.forget(device_id, with_files=False)
    return schemas.Deleted(deleted=deleted)


def _view(services: WebServices, device_id: str) -> EditView:
    view = services.device_editor.view(device_id)
    if view.settings is None:
        raise NotVisible
    return view
