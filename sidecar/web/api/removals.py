"""`/api/v1/devices/…/removals`: the one question about files that are missing, and its answer."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from sidecar.errors import DeviceError, NotAManager
from sidecar.services.removals.review import RemovalReview, RemovalsView
from sidecar.web.api import presenters
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import Body, read
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices

NOTHING_ASKED = (
    "Nothing is asked about this device any more: its files are back, or it was answered."
)


class RemovalAnswer(Body):
    """Was it a person: then all is recorded as removed; else it is fetched again."""

    gone: bool


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.removals
    removals = Blueprint("removals", __name__, url_prefix="/api/v1/devices")

    @removals.get("/<device_id>/removals")
    def show(device_id: str) -> Response:
        return jsonify(_shown(_found(desk, device_id)))

    @removals.post("/<device_id>/removals")
    def answer(device_id: str) -> Response:
        asked = _found(desk, device_id)
        said = read(RemovalAnswer)
        if not asked.management.may_manage:
            raise NotAManager(asked.management.refusal)
        if asked.text is None:
            raise ApiError(HTTPStatus.CONFLICT, NOTHING_ASKED)
        try:
            files = desk.answer(person(), device_id, gone=said.gone)
        except DeviceError as trouble:
            raise ApiError(HTTPStatus.CONFLICT, f"{trouble}. Then answer once more.") from None
        return jsonify(files=files or 0)

    return removals


def _found(desk: RemovalReview, device_id: str) -> RemovalsView:
    found = desk.removals(person(), device_id)
    if found is None:
        raise ApiError(HTTPStatus.NOT_FOUND)
    return found


def _shown(view: RemovalsView) -> dict[str, object]:
    asked: dict[str, object] | None = None
    if view.text is not None:
        asked = {
            "text": view.text,
            "gone": view.gone,
            "edited": view.edited,
            "total": view.total,
            "whose": presenters.share(view.whose),
            "examples": list(view.examples),
        }
    return {
        "device": {"id": view.device_id, "name": view.device_name},
        **presenters.management(view.management),
        "question": asked,
    }
