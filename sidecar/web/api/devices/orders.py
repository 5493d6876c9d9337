"""`/api/v1/orders`: what you asked other machines to do, and what became of it.

A change of a device's files that another machine has to make is answered with 202 and the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from flask import Flask, redirect, request, url_for
from werkzeug.wrappers import Response

from sidecar.errors import DeviceError
from sidecar.services.devices.orders import OrderGiven, OrderView
from sidecar.services.orders.kinds import OrderKind, OrderKinds
from sidecar.web import redirects
from sidecar.web.api.endpoints import PREFIX, Endpoints, Refusal, json_reply
from sidecar.web.api.schemas import orders as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.request.json_body import Body
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

orders = Endpoints("orders", errors={DeviceError: Refusal(HTTPStatus.CONFLICT, "{}.")})


class Look(StrEnum):
    """What a machine can be asked to look for on a device."""

    FILES = "files"
    LOG = "log"
    PLAYER = "player"
    LISTS = "lists"


class LookWanted(Body):
    """What to look for: `files`, `log`, `player` or `lists`."""

    what: Look


@orders.get("/orders", role=Role.SIGNED_IN, returns=Listed[schemas.Order])
def listed(services: WebServices) -> Sequence[OrderView]:
    """List what you asked other machines to do, the newest first."""
    return services.orders.of(person())


@orders.delete("/orders/<int:order_id>", role=Role.SIGNED_IN)
def drop(services: WebServices, order_id: int) -> None:
    """Withdraw an order that has not begun, or show one no more that has ended."""
    services.orders.drop(person(), order_id)


@orders.post(
    "/devices/<device_id>/looks", may_be_ordered=True, role=Role.SIGNED_IN, body=LookWanted
)
def look(services: WebServices, device_id: str, body: LookWanted) -> None:
    """Ask the machine that has a device to look at it, so that the preview can be shown here."""
    kind = find_look(services.orders.kinds, body.what)
    services.orders.ask_to_look(kind, person(), device_id)


def find_look(kinds: OrderKinds, what: Look) -> OrderKind[[], Any]:
    """Return the kind of order for a look."""
    found: dict[Look, OrderKind[[], Any]] = {
        Look.FILES: kinds.look_for_files,
        Look.LOG: kinds.look_at_log,
        Look.PLAYER: kinds.look_at_player,
        Look.LISTS: kinds.look_at_lists,
    }
    return found[what]


def register(app: Flask) -> None:
    """Answer what was ordered of another machine: programs with the order, people with its page."""
    app.register_error_handler(OrderGiven, _ordered)


def _ordered(given: OrderGiven) -> Response:
    if request.path.startswith(PREFIX):
        return json_reply(schemas.Order, given.order, HTTPStatus.ACCEPTED)
    where = url_for("device.show", device_id=given.order.device_id)
    return redirect(redirects.safe_target(where), 303)
