"""`/api/v1/devices/…/adoption`: files that were there before us, and taking them over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, TypeVar

from flask import Blueprint, Response, jsonify
from pydantic import Field, model_validator

from sidecar.errors import DeviceError
from sidecar.services.adoption.adopt import AdoptedView, AdoptionInUse, OfferView
from sidecar.web.api import presenters
from sidecar.web.request import json_body
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices

MOST_IDS = 1000

MatchId = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
T = TypeVar("T")


class Adopt(json_body.Body):
    """Which files: these, or all that are sure."""

    ids: Annotated[tuple[MatchId, ...], Field(max_length=MOST_IDS)] = ()
    all: bool = False

    @model_validator(mode="after")
    def _either_or(self) -> Adopt:
        if self.all == bool(self.ids):
            raise ValueError("give either ids, or all")
        return self


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.adoption
    adoption = Blueprint("adoption", __name__, url_prefix="/api/v1/devices")

    @adoption.get("/<string(maxlength=80):device_id>/adoption")
    def show(device_id: str) -> Response:
        return jsonify(_offer(_told(lambda: desk.offer(person(), device_id))))

    @adoption.post("/<string(maxlength=80):device_id>/adoption")
    def adopt(device_id: str) -> Response:
        asked = json_body.read(Adopt)
        ids = None if asked.all else asked.ids
        return jsonify(_adopted(_told(lambda: desk.adopt(person(), device_id, ids))))

    return adoption


def _told(ask: Callable[[], T | None]) -> T:
    try:
        found = ask()
    except AdoptionInUse as busy:
        raise ApiError(HTTPStatus.CONFLICT, f"{busy}: wait a little.") from None
    except DeviceError as trouble:
        raise ApiError(HTTPStatus.CONFLICT, f"{trouble}.") from None
    if found is None:
        raise ApiError(HTTPStatus.NOT_FOUND)
    return found


def _offer(view: OfferView) -> dict[str, object]:
    return {
        "device": {"id": view.device_id, "name": view.device_name},
        **presenters.management(view.management),
        "found": view.found,
        "matched": [asdict(one) for one in view.matched],
        "matched_total": view.matched_total,
        "doubtful": [asdict(one) for one in view.doubtful],
        "doubtful_total": view.doubtful_total,
        "strangers": view.strangers,
        "examples": list(view.examples),
        "unread": view.unread,
    }


def _adopted(view: AdoptedView) -> dict[str, object]:
    return {
        "adopted": view.adopted,
        "left": view.left,
        "refused": [asdict(one) for one in view.refused],
    }
