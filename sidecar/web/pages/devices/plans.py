"""`/devices`: what would be added to and removed from each device, and its confirmation."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.errors import DeviceError
from sidecar.services.accounts.person import Person
from sidecar.services.space.planner import PlanChanged
from sidecar.web.i18n.status_labels import StatusLabel
from sidecar.web.pages.devices.tiles import device_tiles
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.auth import is_owner, person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

LONGEST_LIST = 50
LONGEST_FORMAT = 40


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    plans = PageRoutes("plans")

    @plans.get("/devices", role=Role.SIGNED_IN)
    def devices() -> str:
        who = person()
        found = services.plans.all(who, LONGEST_LIST)
        return render_template(
            "devices/devices.html",
            devices=found,
            labels=_labels(services, who) if any(one.is_settled for one in found) else {},
            browsers=services.browsers.all(who),
            unused=services.device_editor.unused() if is_owner() else [],
            outcome=request.args.get("outcome"),
            most=LONGEST_LIST,
        )

    @plans.post("/devices/<device_id>/confirm", role=Role.MANAGER)
    def confirm_on_page(device_id: str) -> Response:
        try:
            plan_id = request.form.get("plan_id", "")
            services.orders.press(services.orders.kinds.confirm_plan, person(), device_id, plan_id)
            outcome = "confirmed"
        except (PlanChanged, DeviceError):
            outcome = "changed"
        return redirect(url_for("plans.devices", outcome=outcome), 303)

    @plans.post("/devices/<device_id>/reformat", role=Role.MANAGER)
    def reformat_on_page(device_id: str) -> Response:
        wanted = request.form.get("format", "")[:LONGEST_FORMAT]
        try:
            services.plans.reformat(person(), device_id, wanted)
        except PlanChanged:
            return redirect(url_for("plans.devices", outcome="changed"), 303)
        return redirect(url_for("plans.devices"), 303)

    return plans.blueprint


def _labels(services: WebServices, who: Person) -> Mapping[str, StatusLabel]:
    """Return how each device stands, by its id."""
    states, notices = services.downloads.by_device(who), services.notices.notices(who)
    return {one.device.id: one.label for one in device_tiles(services, who, states, notices)}
