"""`/api/v1/devices/…/peers`, `…/stignore`, `/api/v1/downloads/…/peers`: what Syncthing carries."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from sidecar.errors import DeviceError
from sidecar.services.syncthing.status import (
    ArrivalView,
    IgnoreView,
    PeerView,
    SharedView,
)
from sidecar.web.api import presenters
from sidecar.web.api.download_bodies import LARGEST_ID, Nothing
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import read_if_any
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.sync_status
    peers = Blueprint("peers", __name__, url_prefix="/api/v1")

    @peers.get("/devices/<device_id>/peers")
    def show(device_id: str) -> Response:
        found = desk.shared(person(), device_id)
        if found is None:
            raise ApiError(HTTPStatus.NOT_FOUND)
        return jsonify(_shared(found))

    @peers.get("/devices/<device_id>/stignore")
    def ignoring(device_id: str) -> Response:
        try:
            return _ignoring(desk.ignoring(person(), device_id))
        except DeviceError as trouble:
            raise ApiError(HTTPStatus.CONFLICT, f"{trouble}.") from None

    @peers.post("/devices/<device_id>/stignore")
    def ignore(device_id: str) -> Response:
        read_if_any(Nothing)
        try:
            return _ignoring(desk.ignore(person(), device_id))
        except DeviceError as trouble:
            raise ApiError(HTTPStatus.CONFLICT, f"{trouble}.") from None

    @peers.get(f"/downloads/<int(max={LARGEST_ID}):download_id>/peers")
    def of_file(download_id: int) -> Response:
        found = desk.of_file(person(), download_id)
        if found is None:
            raise ApiError(HTTPStatus.NOT_FOUND)
        return jsonify(presenters.whole([_arrival(one) for one in found]))

    return peers


def _shared(view: SharedView) -> dict[str, object]:
    return {
        "device": {"id": view.device_id, "name": view.device_name},
        "is_asked": view.is_asked,
        "folder": view.folder,
        "trouble": view.trouble,
        "waits": view.waits,
        "peers": [_peer(one) for one in view.peers],
    }


def _peer(one: PeerView) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "connected": one.is_connected,
        "paused": one.is_paused,
        "last_seen": presenters.moment(one.last_seen),
        "completion": None if one.completion is None else round(one.completion, 1),
        "need_bytes": one.need_bytes,
        "need_items": one.need_items,
    }


def _arrival(one: ArrivalView) -> dict[str, object]:
    return {"peer": one.peer, "arrived_at": presenters.moment(one.known_at)}


def _ignoring(view: IgnoreView | None) -> Response:
    if view is None:
        raise ApiError(HTTPStatus.NOT_FOUND)
    return jsonify(device_id=view.device_id, line=view.line, is_there=view.is_there)
