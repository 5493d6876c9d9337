"""`/api/v1/devices/…/log`: what a music player's logs would bring, and bringing it."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from sidecar.errors import DeviceError
from sidecar.services.player_logs.views import HeardView, LogInUse, LogView, TakenView
from sidecar.web.api import presenters
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.player_logs
    logs = Blueprint("device_logs", __name__, url_prefix="/api/v1/devices")

    @logs.get("/<string(maxlength=80):device_id>/log")
    def show(device_id: str) -> Response:
        try:
            found = desk.log(person(), device_id)
        except DeviceError as trouble:
            raise ApiError(HTTPStatus.CONFLICT, f"{trouble}.") from None
        if found is None:
            raise ApiError(HTTPStatus.NOT_FOUND)
        return jsonify(_log(found))

    @logs.post("/<string(maxlength=80):device_id>/log")
    def take(device_id: str) -> Response:
        try:
            outcome = desk.take(person(), device_id)
        except LogInUse as busy:
            raise ApiError(HTTPStatus.CONFLICT, f"{busy}: wait a little.") from None
        except DeviceError as trouble:
            raise ApiError(HTTPStatus.CONFLICT, f"{trouble}. Then ask once more.") from None
        if outcome is None:
            raise ApiError(HTTPStatus.NOT_FOUND)
        return jsonify(_taken(outcome))

    return logs


def _log(view: LogView) -> dict[str, object]:
    return {
        "device": {"id": view.device_id, "name": view.device_name},
        "time_zone": view.time_zone,
        "files": [asdict(one) for one in view.files],
        "counts": asdict(view.counts),
        "plays": [_heard(one) for one in view.plays],
        "remarks": [asdict(one) for one in view.remarks],
        "has_more": view.has_more,
    }


def _heard(view: HeardView) -> dict[str, object]:
    return {
        "item_id": view.item_id,
        "title": view.title,
        "artist": view.artist,
        "started_at": presenters.moment(view.started_at),
        "seconds_heard": round(view.seconds_heard, 1),
    }


def _taken(view: TakenView) -> dict[str, object]:
    return {
        "taken": view.taken,
        "left": view.left,
        "refused": [asdict(one) for one in view.refused],
    }
