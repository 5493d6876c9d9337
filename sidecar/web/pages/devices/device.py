"""`/devices/ID`: the page of one device; its forms lead back to it.

GET  /devices/ID                     settings, rules with their reasons, pins, removed items
POST /devices/ID/settings · rules/NAME · take-back · removals · stignore · unplug
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.config.schema import KeyKind
from sidecar.domain.rules.registry import RULE_OF
from sidecar.errors import ConfigError, DeviceError, NotPossible, NotVisible, SidecarError
from sidecar.services.rules.settings_view import DeviceSettingsView, Setting, Value
from sidecar.services.space.plans import DevicePlan, PlanService
from sidecar.services.syncthing.status import IgnoreView, SyncStatus
from sidecar.web import redirects
from sidecar.web.i18n import labels
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.pages.undo import leading_back
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

ONE = "/<string(maxlength=80):device_id>"
LONGEST_VALUE = 100
LONGEST_LIST = 50


class Kept(StrEnum):
    """What a person can take back on this page."""

    PIN = "pin"
    PLAYLIST = "playlist"
    EXCLUSION = "exclusion"
    REMOVAL = "removal"


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    device = PageRoutes("device", url_prefix="/devices")

    @device.get(ONE, role=Role.SIGNED_IN)
    def show(device_id: str) -> Response:
        return _page(services, device_id)

    _changes(device, services)
    _answers(device, services)
    return device.blueprint


def _changes(device: PageRoutes, services: WebServices) -> None:
    @device.post(f"{ONE}/settings", role=Role.MANAGER)
    def settings(device_id: str) -> Response:
        now = services.settings.settings(person(), device_id)
        return _change(services, device_id, device=_given(now.settings))

    @device.post(f"{ONE}/rules/<string(maxlength=40):rule>", role=Role.MANAGER)
    def change_rule(device_id: str, rule: str) -> Response:
        now = services.settings.settings(person(), device_id)
        known = next((one for one in now.rules if one.name == rule), None)
        if known is None:
            raise NotVisible
        return _change(services, device_id, rules={rule: _given(known.settings)})

    @device.post(f"{ONE}/take-back", role=Role.SIGNED_IN)
    def take_back(device_id: str) -> Response:
        asked, item_id = request.form.get("kept", ""), request.form.get("item", "")
        if asked not in set(Kept):
            raise ApiError(HTTPStatus.BAD_REQUEST)
        return _take_back(services, device_id, Kept(asked), item_id)


def _answers(device: PageRoutes, services: WebServices) -> None:
    @device.post(f"{ONE}/removals", role=Role.MANAGER)
    def answer_removals(device_id: str) -> Response:
        gone = request.form.get("gone") == "yes"
        try:
            services.removals.answer(person(), device_id, gone=gone)
        except DeviceError as trouble:
            return _page(services, device_id, trouble)
        # The question is on every page: go back to the one where it was answered.
        return redirect(redirects.safe_target(url_for("device.show", device_id=device_id)), 303)

    @device.post(f"{ONE}/stignore", role=Role.MANAGER)
    def ignore(device_id: str) -> Response:
        try:
            services.sync_status.ignore(person(), device_id)
        except DeviceError as trouble:
            return _page(services, device_id, trouble)
        return _back(device_id)

    @device.post(f"{ONE}/unplug", role=Role.MANAGER)
    def unplug(device_id: str) -> Response:
        act = services.eject.reattach if "use" in request.form else services.eject.eject
        act(person(), device_id)
        return redirect(redirects.safe_target(url_for("plans.devices")), 303)


def _page(services: WebServices, device_id: str, refused: SidecarError | None = None) -> Response:
    who = person()
    shown = services.settings.settings(who, device_id)
    page = render_template(
        "devices/device.html",
        device=shown,
        plan=_plan(services.plans, device_id),
        question=services.removals.removals(who, device_id),
        shared=services.sync_status.shared(who, device_id),
        ignoring=_ignoring(services.sync_status, device_id),
        is_unplugged=services.eject.is_ejected(device_id),
        pins=services.preferences.pins(who, device_id),
        playlists=services.preferences.playlists(who, device_id),
        removed=services.preferences.removed(who, device_id),
        exclusions=[
            one
            for one in services.preferences.exclusions(who)
            if one.device_id in {None, device_id}
        ],
        most=None if request.args.get("all") == "yes" else LONGEST_LIST,
        refused=refused,
        words=labels,
        rule_of=RULE_OF,
        budgets=_sizes(shown),
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)


def _plan(plans: PlanService, device_id: str) -> DevicePlan | None:
    try:
        return plans.one(person(), device_id)
    except NotVisible:
        # Another stick has the name of this device now: only its settings are left.
        return None


def _ignoring(peers: SyncStatus, device_id: str) -> IgnoreView | None:
    try:
        return peers.ignoring(person(), device_id)
    except DeviceError:
        # The page says elsewhere that the device is missing.
        return None


def _change(
    services: WebServices,
    device_id: str,
    *,
    device: Mapping[str, object] | None = None,
    rules: Mapping[str, Mapping[str, object]] | None = None,
) -> Response:
    try:
        services.settings.change(person(), device_id, device or {}, rules or {})
    except (ConfigError, NotPossible) as refused:
        return _page(services, device_id, refused)
    return _back(device_id)


def _given(settings: tuple[Setting, ...]) -> dict[str, object]:
    """Return the settings that the form changes; a key that it does not have stays as it is."""
    given = {
        one.key.name: _value(one, request.form.get(one.key.name, "")[:LONGEST_VALUE].strip())
        for one in settings
        if one.key.kind is KeyKind.SWITCH or one.key.name in request.form
    }
    now = {one.key.name: one for one in settings}
    return {name: value for name, value in given.items() if value != now[name].value}


def _value(one: Setting, text: str) -> Value:
    """Convert a field's text to the setting's type; an empty field resets the setting."""
    match one.key.kind:
        case KeyKind.SWITCH:
            return text == "on"
        case KeyKind.NUMBER if text.isascii() and text.removeprefix("-").isdecimal():
            return int(text)
        case KeyKind.SIZE if text == labels.size(one.value):
            return one.value
        case _:
            return text or None


def _sizes(shown: DeviceSettingsView) -> dict[str, str]:
    sizes = [one for one in shown.settings if one.key.kind is KeyKind.SIZE]
    return {one.key.name: labels.size(one.value) for one in sizes}


def _take_back(services: WebServices, device_id: str, kept: Kept, item_id: str) -> Response:
    who, steering, record = person(), services.preferences, None
    match kept:
        case Kept.PIN:
            files = next(
                (one.files for one in steering.pins(who, device_id) if one.item_id == item_id), 0
            )
            if files > 1 and request.form.get("sure") != "yes":
                return _ask_unpin(services, device_id, item_id, files)
            reversal = steering.unpin(who, device_id, item_id)
            record = services.undo.remember_one(who, "let_go", reversal, files)
        case Kept.PLAYLIST:
            reversal = steering.drop(who, device_id, item_id)
            record = services.undo.remember_one(who, "playlist", reversal, 1)
        case Kept.EXCLUSION:
            steering.include(who, device_id, request.form.get("rule", "")[:40], item_id)
        case Kept.REMOVAL:
            steering.want_again(who, device_id, item_id)
    where = url_for("device.show", device_id=device_id)
    return redirect(leading_back(where, record), 303)


def _ask_unpin(services: WebServices, device_id: str, item_id: str, files: int) -> Response:
    pins = services.preferences.pins(person(), device_id)
    page = render_template(
        "devices/confirm_unpin.html",
        device_id=device_id,
        pin=next(one for one in pins if one.item_id == item_id),
        files=files,
    )
    return make_response(page)


def _back(device_id: str) -> Response:
    return redirect(url_for("device.show", device_id=device_id), 303)
