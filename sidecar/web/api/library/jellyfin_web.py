"""`/api/v1/jellyfin-web`: the download button on the item pages of Jellyfin's own web client.

The only routes that pages of another origin may ask (see `security.jellyfin_web`).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from sidecar.domain.downloads.actions import GOES, Action
from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.commands import AddResult, DownloadCommand
from sidecar.web.api.endpoints import PREFIX, Endpoints
from sidecar.web.api.schemas import library as schemas
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import Body
from sidecar.web.routing import ITEM
from sidecar.web.security.auth import person
from sidecar.web.security.jellyfin_web import GROUP, preflight
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

buttons = Endpoints(GROUP, f"{PREFIX}/jellyfin-web", preflight=preflight)

NOT_ADDED = {
    AddResult.NOT_FOUND: HTTPStatus.NOT_FOUND,
    AddResult.REFUSED: HTTPStatus.UNPROCESSABLE_ENTITY,
}


class OnDevice(Body):
    """One of your devices."""

    device_id: Annotated[str, Field(min_length=1, max_length=80)]


@buttons.get(f"/items/{ITEM}", role=Role.SIGNED_IN, returns=schemas.ItemButtons)
def show(services: WebServices, item_id: str) -> schemas.ItemButtons:
    """Show how an item stands on each of your devices."""
    return _stands(services, person(), item_id)


@buttons.post(
    f"/items/{ITEM}/download", role=Role.SIGNED_IN, body=OnDevice, returns=schemas.ItemButtons
)
def download(services: WebServices, item_id: str, body: OnDevice) -> schemas.ItemButtons:
    """Pin an item to a device and queue what is missing of it."""
    who = person()
    (added,) = services.actions.add(who, [item_id], device=body.device_id)
    if added.result in NOT_ADDED:
        raise ApiError(NOT_ADDED[added.result], added.text)
    return _stands(services, who, item_id)


@buttons.post(
    f"/items/{ITEM}/unpin", role=Role.SIGNED_IN, body=OnDevice, returns=schemas.ItemButtons
)
def unpin(services: WebServices, item_id: str, body: OnDevice) -> schemas.ItemButtons:
    """Cancel what is on its way of an item to a device, and remove your pin."""
    who = person()
    rows = services.library.downloads(who, item_id, body.device_id)
    going = [one.id for one in rows if one.status in GOES[Action.CANCEL]]
    is_pinned = body.device_id in services.preferences.pinned_on(who, item_id)
    if not going and not is_pinned:
        raise NotVisible
    services.actions.act_on(who, going, DownloadCommand(action=Action.CANCEL))
    # Cancelling may have ended the pin.
    if body.device_id in services.preferences.pinned_on(who, item_id):
        services.preferences.unpin(who, body.device_id, item_id)
    return _stands(services, who, item_id)


def _stands(services: WebServices, who: Person, item_id: str) -> schemas.ItemButtons:
    # What was shown a moment ago is not asked of Jellyfin again: pages look every few seconds.
    shown = next(iter(services.library.again(who, [item_id])), None)
    if shown is None or shown.buttons is None:
        shown = services.library.show(who, item_id)
    pinned = services.preferences.pinned_on(who, item_id)
    return schemas.ItemButtons(
        item_id=item_id,
        title=shown.entry.item.title,
        devices=[
            schemas.PinnedButton(
                **dict(schemas.Button.model_validate(one)), pinned=one.device_id in pinned
            )
            for one in shown.buttons or ()
        ],
    )
