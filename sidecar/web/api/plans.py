"""`/devices` and `/api/v1/devices/…/plan`: what would come and go, before anything moves."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from sidecar.errors import DeviceError
from sidecar.services.space.planner import PlanChanged
from sidecar.services.space.plans import DevicePlan, PlanLine, PlanService
from sidecar.web.api import presenters
from sidecar.web.request import json_body
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices

LONGEST_LIST = 50
LONGEST_FORMAT = 40


class Confirmation(json_body.Body):
    """A yes to the removals of a plan."""

    plan_id: Annotated[str, Field(min_length=1, max_length=64)]


class NewFormat(json_body.Body):
    """A yes to making the files of a device anew in the format that is set."""

    format: Annotated[str, Field(min_length=1, max_length=32)]


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.plans
    plans = Blueprint("plans", __name__)

    @plans.get("/devices")
    def devices() -> str:
        return render_template(
            "devices.html",
            devices=desk.all(person()),
            outcome=request.args.get("outcome"),
            most=LONGEST_LIST,
        )

    @plans.post("/devices/<device_id>/confirm")
    def confirm_on_page(device_id: str) -> BaseResponse:
        try:
            if not desk.confirm(person(), device_id, request.form.get("plan_id", "")):
                raise ApiError(HTTPStatus.NOT_FOUND)
            outcome = "confirmed"
        except (PlanChanged, DeviceError):
            outcome = "changed"
        return redirect(url_for("plans.devices", outcome=outcome), 303)

    @plans.get("/api/v1/devices/<device_id>/plan")
    def show(device_id: str) -> Response:
        return jsonify(_plan(_one(desk, device_id)))

    @plans.post("/api/v1/devices/<device_id>/plan/confirm")
    def confirm(device_id: str) -> Response:
        asked = json_body.read(Confirmation)
        try:
            if not desk.confirm(person(), device_id, asked.plan_id):
                raise ApiError(HTTPStatus.NOT_FOUND)
        except (PlanChanged, DeviceError) as refused:
            raise ApiError(HTTPStatus.CONFLICT, f"{refused}.") from None
        reply = jsonify(_plan(_one(desk, device_id)))
        reply.status_code = HTTPStatus.ACCEPTED
        return reply

    _reformatting(plans, desk)
    return plans


def _reformatting(plans: Blueprint, desk: PlanService) -> None:
    @plans.post("/devices/<device_id>/reformat")
    def reformat_on_page(device_id: str) -> BaseResponse:
        wanted = request.form.get("format", "")[:LONGEST_FORMAT]
        try:
            found = desk.reformat(person(), device_id, wanted)
        except PlanChanged:
            return redirect(url_for("plans.devices", outcome="changed"), 303)
        if not found:
            raise ApiError(HTTPStatus.NOT_FOUND)
        return redirect(url_for("plans.devices"), 303)

    @plans.post("/api/v1/devices/<device_id>/plan/reformat")
    def reformat(device_id: str) -> Response:
        asked = json_body.read(NewFormat)
        try:
            if not desk.reformat(person(), device_id, asked.format):
                raise ApiError(HTTPStatus.NOT_FOUND)
        except PlanChanged as refused:
            raise ApiError(HTTPStatus.CONFLICT, f"{refused}.") from None
        reply = jsonify(_plan(_one(desk, device_id)))
        reply.status_code = HTTPStatus.ACCEPTED
        return reply


def _one(desk: PlanService, device_id: str) -> DevicePlan:
    found = desk.one(person(), device_id)
    if found is None:
        raise ApiError(HTTPStatus.NOT_FOUND)
    return found


def _plan(view: DevicePlan) -> dict[str, object]:
    space = view.space
    return {
        "device_id": view.id,
        "device": view.name,
        "trouble": view.trouble,
        "plan_id": view.plan_id,
        **presenters.management(view.management),
        "needs_confirmation": view.needs_confirmation,
        "whose": presenters.share(view.whose),
        "over": view.over,
        "bytes_added": view.bytes_added,
        "bytes_removed": view.bytes_removed,
        "adds": [_line(one) for one in view.adds],
        "removals": [_line(one) for one in view.removals],
        "refusals": [
            _line(one) | {"code": one.code, "is_final": one.is_final} for one in view.refusals
        ],
        "space": None
        if space is None
        else {name: getattr(space, name) for name in space.__dataclass_fields__},
        "reformat": None
        if view.reformat is None
        else {name: getattr(view.reformat, name) for name in view.reformat.__dataclass_fields__}
        | {"whose": presenters.share(view.reformat.whose)},
    }


def _line(one: PlanLine) -> dict[str, object]:
    return {
        "download_id": one.download_id,
        "item_id": one.item_id,
        "title": one.title,
        "bytes": one.bytes,
        "reason": one.reason,
    }
