"""`/api/v1/transfers`: what may be fetched now and how fast; an admin pauses and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Response, jsonify
from pydantic import Field

from sidecar.services.transfers.status import TransferStatus
from sidecar.web.api.presenters import moment
from sidecar.web.request.json_body import Body, read
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices

Limit = Annotated[int, Field(ge=1024, le=10**12)]


class Change(Body):
    """What an admin changes; what is not named stays.

    Attributes:
        speed_limit: Bytes a second; null for no limit, "usual" for that of the settings file.
    """

    paused: bool | None = None
    speed_limit: Literal["usual"] | Limit | None = None


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.transfers
    transfers = Blueprint("transfers", __name__, url_prefix="/api/v1/transfers")

    @transfers.get("")
    def show() -> Response:
        return _shown(desk)

    @transfers.patch("")
    def change() -> Response:
        said = read(Change)
        if said.paused is not None:
            desk.pause(paused=said.paused)
        if isinstance(said.speed_limit, str):
            desk.as_usual()
        elif "speed_limit" in said.model_fields_set:
            desk.limit(said.speed_limit)
        return _shown(desk)

    return transfers


def _shown(desk: TransferStatus) -> Response:
    view = desk.transfers(person())
    return jsonify(
        paused=view.is_paused,
        speed_limit=view.speed_limit,
        devices=[
            {
                "device_id": one.device_id,
                "device_name": one.device_name,
                "own_only": one.own_only,
                "text": one.text,
                "until": moment(one.until),
            }
            for one in view.devices
        ],
    )
