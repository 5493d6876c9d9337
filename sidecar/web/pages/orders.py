"""What a person asked other machines to do: shown with the alerts of every page.

POST /orders/drop       withdraw it, or show it no more
POST /devices/ID/look   ask the machine that has a device to look at it
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from sidecar.errors import NotVisible
from sidecar.services.orders.kinds import OrderKinds
from sidecar.web import redirects
from sidecar.web.api.devices.orders import Look, find_look
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.errors import ApiError
from sidecar.web.request.query_params import LARGEST_ID
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

# The page that shows what was found.
PAGES = MappingProxyType(
    {
        Look.FILES: "returns.found",
        Look.LOG: "returns.heard",
        Look.PLAYER: "player.show",
        Look.LISTS: "returns.made_there",
    }
)


def pages_by_kind(kinds: OrderKinds) -> Mapping[str, str]:
    """Return the page that shows what a machine found, by the kind of order."""
    return {find_look(kinds, what).name: page for what, page in PAGES.items()}


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    given = PageRoutes("order_pages")

    @given.post("/orders/drop", role=Role.SIGNED_IN)
    def drop() -> Response:
        asked = request.form.get("order", default=0, type=int)
        # It may have begun or be gone: the page that it leads back to shows which.
        with suppress(NotVisible):
            services.orders.drop(person(), min(max(0, asked), LARGEST_ID))
        return redirect(redirects.safe_target(url_for("home.show")), 303)

    @given.post("/devices/<string(maxlength=80):device_id>/look", role=Role.SIGNED_IN)
    def look(device_id: str) -> Response:
        try:
            what = Look(request.form.get("what", ""))
        except ValueError:
            raise ApiError(HTTPStatus.BAD_REQUEST) from None
        kind = find_look(services.orders.kinds, what)
        services.orders.ask_to_look(kind, person(), device_id)
        # It is here by now, or not there at all.
        return redirect(url_for(PAGES[what], device_id=device_id), 303)

    return given.blueprint
