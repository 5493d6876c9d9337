"""`/api/v1/devices/…/peers`, `…/stignore`, `/api/v1/downloads/…/peers`: Syncthing's state."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from sidecar.errors import DeviceError
from sidecar.services.syncthing.status import ArrivalView, IgnoreView, SharedView
from sidecar.web.api.endpoints import Endpoints, Refusal
from sidecar.web.api.schemas import syncthing as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.json_body import NoBody
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

peers = Endpoints("peers", errors={DeviceError: Refusal(HTTPStatus.CONFLICT, "{}.")})


@peers.get("/devices/<device_id>/peers", role=Role.SIGNED_IN, returns=schemas.Shared)
def show(services: WebServices, device_id: str) -> SharedView:
    """List the peers that Syncthing syncs a device to."""
    return services.sync_status.shared(person(), device_id)


@peers.get("/devices/<device_id>/stignore", role=Role.SIGNED_IN, returns=schemas.Ignoring)
def ignoring(services: WebServices, device_id: str) -> IgnoreView:
    """Show whether Syncthing ignores the sidecar's own folder on a device."""
    return services.sync_status.ignoring(person(), device_id)


@peers.post(
    "/devices/<device_id>/stignore",
    may_be_ordered=True,
    role=Role.MANAGER,
    body=NoBody,
    may_be_empty=True,
    returns=schemas.Ignoring,
)
def ignore(services: WebServices, device_id: str, body: NoBody) -> IgnoreView:  # noqa: ARG001
    """Add the sidecar's own folder to `.stignore` on a device."""
    return services.orders.press(services.orders.kinds.ignore, person(), device_id)


@peers.get(
    "/downloads/<int:download_id>/peers",
    role=Role.SIGNED_IN,
    returns=Listed[schemas.Arrived],
)
def of_file(services: WebServices, download_id: int) -> Sequence[ArrivalView]:
    """List which Syncthing peers have a file."""
    return services.sync_status.of_file(person(), download_id)
