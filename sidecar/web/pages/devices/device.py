"""`/devices/ID`: the page of one device; its forms lead back to it.

GET  /devices/ID                     settings, rules with their reasons, pins, removed items
POST /devices/ID/settings · rules/NAME · take-back · removals · filters · stignore · unplug · pause

A form that is refused is shown again with what was typed, and the reason at each field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.config.page import Origin
from sidecar.domain.items.kinds import MediaKind
from sidecar.domain.rules.registry import RULE_OF
from sidecar.errors import ConfigError, DeviceError, NotPossible, NotVisible
from sidecar.messages import Size, msg
from sidecar.services.configuration.service import SettingView
from sidecar.services.downloads.undo import UndoRecord
from sidecar.services.health.notices import QUESTION_CHANGED
from sidecar.services.rules.settings.view import DeviceSettingsView, Setting
from sidecar.services.space.plans import DevicePlan, PlanService
from sidecar.services.syncthing.status import IgnoreView, SyncStatus
from sidecar.web import redirects
from sidecar.web.i18n import labels
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.pages.undo import leading_back
from sidecar.web.request.errors import ApiError
from sidecar.web.request.setting_fields import read_changes
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

ONE = "/<string(maxlength=80):device_id>"
LONGEST_LIST = 50
LONGEST_ID = 40
# The form of the device's own settings; each rule has one of its name.
DEVICE_FORM = "settings"
# The groups of the device's settings in their order: title, and the settings in it.
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        translatable("Space"): ("budget", "reserve", "paused"),
        translatable("What is downloaded to it"): tuple(one.value for one in MediaKind),
        translatable("Player and format"): (
            "preset",
            "format",
            "bitrate",
            "video",
            "audio_languages",
            "subtitle_languages",
            "versions",
            "keep_original",
        ),
        translatable("Files on the device"): (
            "complete_tags",
            "tag_separator",
            "covers",
            "lyrics",
            "subtitles",
            "album_playlists",
            "index",
        ),
        translatable("Network"): ("network", "speed_limit"),
        translatable("Advanced"): ("cast", "time_zone"),
    }
)


class Kept(StrEnum):
    """What a person can take back on this page."""

    PIN = "pin"
    PLAYLIST = "playlist"
    SELECTION = "selection"
    EXCLUSION = "exclusion"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something was refused.

    Attributes:
        text: What stands above the page.
        form: The form that was refused; empty if it was none of settings.
        reasons: The sentence for each of its fields, by place.
    """

    text: str
    form: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)


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
        given = read_changes(_fields(now.settings), request.form, resets=False)
        return _change(services, device_id, DEVICE_FORM, device=given)

    @device.post(f"{ONE}/rules/<string(maxlength=40):rule>", role=Role.MANAGER)
    def change_rule(device_id: str, rule: str) -> Response:
        now = services.settings.settings(person(), device_id)
        known = next((one for one in now.rules if one.name == rule), None)
        if known is None:
            raise NotVisible
        given = read_changes(_fields(known.settings), request.form, resets=False)
        return _change(services, device_id, rule, rules={rule: given})

    @device.post(f"{ONE}/take-back", role=Role.SIGNED_IN)
    def take_back(device_id: str) -> Response:
        asked, item_id = request.form.get("kept", ""), request.form.get("item", "")
        if asked not in set(Kept):
            raise ApiError(HTTPStatus.BAD_REQUEST)
        try:
            return _take_back(services, device_id, Kept(asked), item_id)
        except NotVisible:
            # What is no longer kept is as it was asked for; a device of others is still hidden.
            services.settings.settings(person(), device_id)
            return _back(device_id)


def _answers(device: PageRoutes, services: WebServices) -> None:
    @device.post(f"{ONE}/removals", role=Role.MANAGER)
    def answer_removals(device_id: str) -> Response:
        who, gone = person(), request.form.get("gone") == "yes"
        asked = services.removals.removals(who, device_id)
        shown = request.form.get("shown")
        if shown is not None and asked.version and shown != asked.version:
            return _page(services, device_id, Refused(QUESTION_CHANGED))
        kind = services.orders.kinds.answer_removals
        try:
            files = services.orders.press(kind, who, device_id, gone, asked.ids)
        except DeviceError as trouble:
            return _page(services, device_id, Refused(str(trouble)))
        action = "missing-deleted" if gone else "missing-again"
        record = services.undo.remember_one(who, action, None, files, device=asked.device_name)
        return _answered(device_id, record)

    @device.post(f"{ONE}/filters", role=Role.SIGNED_IN)
    def answer_selection(device_id: str) -> Response:
        selection_id = request.form.get("selection", "")[:LONGEST_ID]
        remove = request.form.get("answer") == "remove"
        who = person()
        shown = request.form.get("shown")
        try:
            services.selections.answer(who, device_id, selection_id, remove=remove, shown=shown)
        except NotPossible as changed:
            return _page(services, device_id, Refused(str(changed)))
        action = "filter-removes" if remove else "filter-keeps"
        return _answered(device_id, services.undo.remember_one(who, action, None, 1))

    @device.post(f"{ONE}/stignore", role=Role.MANAGER)
    def ignore(device_id: str) -> Response:
        try:
            services.orders.press(services.orders.kinds.ignore, person(), device_id)
        except DeviceError as trouble:
            return _page(services, device_id, Refused(str(trouble)))
        return _back(device_id)

    @device.post(f"{ONE}/unplug", role=Role.MANAGER)
    def unplug(device_id: str) -> Response:
        kinds = services.orders.kinds
        kind = kinds.reattach if "use" in request.form else kinds.eject
        services.orders.press(kind, person(), device_id)
        return redirect(redirects.safe_target(url_for("plans.devices")), 303)

    @device.post(f"{ONE}/pause", role=Role.MANAGER)
    def pause(device_id: str) -> Response:
        return _pause(services, device_id)


def _answered(device_id: str, record: UndoRecord | None) -> Response:
    """Go back to the page where it was asked, which may be any, and say what was done."""
    where = redirects.safe_target(url_for("device.show", device_id=device_id))
    return redirect(leading_back(where, record), 303)


def _pause(services: WebServices, device_id: str) -> Response:
    paused = request.form.get("paused") == "yes"
    services.settings.change(person(), device_id, {"paused": paused}, {})
    return redirect(redirects.safe_target(url_for("device.show", device_id=device_id)), 303)


def _page(services: WebServices, device_id: str, refused: Refused | None = None) -> Response:
    who = person()
    shown = services.settings.settings(who, device_id)
    playlists, selections = services.selections.in_sync(who, device_id)
    plan = _plan(services.plans, device_id)
    page = render_template(
        "devices/device.html",
        device=shown,
        plan=plan,
        notes=_notes(shown, plan),
        question=services.removals.removals(who, device_id),
        shared=services.sync_status.shared(who, device_id),
        ignoring=_ignoring(services.sync_status, device_id),
        is_unplugged=services.eject.is_ejected(device_id),
        pins=services.preferences.pins(who, device_id),
        playlists=playlists,
        selections=selections,
        removed=services.preferences.removed(who, device_id),
        exclusions=[
            one
            for one in services.preferences.exclusions(who)
            if one.device_id in {None, device_id}
        ],
        most=None if request.args.get("all") == "yes" else LONGEST_LIST,
        refused=refused,
        saved=request.args.get("saved", ""),
        groups=_groups(shown),
        rule_fields={one.name: _fields(one.settings) for one in shown.rules},
        words=labels,
        rule_of=RULE_OF,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)


def _plan(plans: PlanService, device_id: str) -> DevicePlan | None:
    try:
        return plans.one(person(), device_id, 0)
    except NotVisible:
        # Another stick has the name of this device now: only its settings are left.
        return None


def _notes(shown: DeviceSettingsView, plan: DevicePlan | None) -> Mapping[str, str]:
    """Return what is to be known of a setting on this device, by its place."""
    if plan is None or plan.space is None:
        return {}
    total = plan.space.total
    limit = next((one.value for one in shown.settings if one.key.name == "budget"), None)
    if isinstance(limit, int) and limit > total:
        text = msg("The drive holds only {size}: this limit is never reached.", size=Size(total))
    else:
        text = msg("The drive holds {size}.", size=Size(total))
    return {"budget": text}


def _ignoring(peers: SyncStatus, device_id: str) -> IgnoreView | None:
    try:
        return peers.ignoring(person(), device_id)
    except DeviceError:
        # The page says elsewhere that the device is missing.
        return None


def _change(
    services: WebServices,
    device_id: str,
    form: str,
    *,
    device: Mapping[str, object] | None = None,
    rules: Mapping[str, Mapping[str, object]] | None = None,
) -> Response:
    device, rules = device or {}, rules or {}
    try:
        services.settings.change(person(), device_id, device, rules)
    except NotPossible as refused:
        return _page(services, device_id, Refused(str(refused), form))
    except ConfigError:
        reasons = services.settings.refusals(person(), device_id, device, rules)
        text = msg("Nothing was saved: see what is marked")
        return _page(services, device_id, Refused(text, form, reasons))
    return redirect(
        url_for("device.show", device_id=device_id, saved=form, _anchor=f"form-{form}"), 303
    )


def _fields(settings: Iterable[Setting]) -> Sequence[SettingView]:
    """Return settings of a device or of a rule as fields of a form."""
    return [
        SettingView(
            place=one.key.name,
            key=one.key,
            value=one.value,
            default=one.default,
            origin=Origin.DEFAULT if one.value == one.default else Origin.PAGE,
            is_fixed=False,
            needs_restart=False,
            waits=False,
        )
        for one in settings
    ]


def _groups(shown: DeviceSettingsView) -> Mapping[str, Sequence[SettingView]]:
    fields = {one.place: one for one in _fields(shown.settings)}
    return {title: [fields[name] for name in names] for title, names in GROUPS.items()}


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
        case Kept.SELECTION:
            services.selections.drop(who, device_id, item_id)
        case Kept.EXCLUSION:
            steering.include(who, device_id, request.form.get("rule", "")[:40], item_id)
        case Kept.REMOVAL:
            steering.want_again(who, device_id, item_id)
    return _answered(device_id, record)


def _ask_unpin(services: WebServices, device_id: str, item_id: str, files: int) -> Response:
    pins = services.preferences.pins(person(), device_id)
    page = render_template(
        "devices/confirm_unpin.html",
        device_id=device_id,
        pin=next(one for one in pins if one.item_id == item_id),
        files=files,
        back=redirects.safe_target(url_for("device.show", device_id=device_id)),
    )
    return make_response(page)


def _back(device_id: str) -> Response:
    return redirect(url_for("device.show", device_id=device_id), 303)
