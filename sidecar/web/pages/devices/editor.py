"""`/devices/add`, `/devices/edit`, `/devices/forget`: which devices there are, for admins.

GET  /devices/add?browse=FOLDER     the drives that are there, and a small folder browser
GET  /devices/add?path=FOLDER       name, player, limit and users of a device in this folder
POST /devices/add · add/folder · edit · forget · move · decline
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.domain.files.presets import PresetName
from sidecar.errors import NotPossible, NotVisible, SidecarError
from sidecar.services.configuration.service import SettingsRefused
from sidecar.web import redirects
from sidecar.web.actions import LONGEST_NAME, LONGEST_PATH
from sidecar.web.i18n import labels
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    editor = PageRoutes("device_editor", url_prefix="/devices")

    @editor.get("/add", role=Role.OWNER)
    def add() -> Response:
        path = request.args.get("path", "")[:LONGEST_PATH]
        return _details(services, path) if path else _choose(services)

    @editor.post("/add/folder", role=Role.OWNER)
    def make_folder() -> Response:
        name = request.form.get("folder", "").strip()[:LONGEST_NAME]
        try:
            path = services.device_editor.make_folder(_browsed(), name)
        except NotPossible as refused:
            return _choose(services, refused)
        first = "yes" if _is_first_setup() else None
        return redirect(url_for("device_editor.add", path=path, first=first), 303)

    @editor.post("/add", role=Role.OWNER)
    def save() -> Response:
        path = request.form.get("path", "")[:LONGEST_PATH]
        given: dict[str, object] = {
            "name": request.form.get("name", "").strip()[:LONGEST_NAME],
            "path": path,
            "preset": request.form.get("preset", PresetName.GENERIC)[:LONGEST_NAME],
            "users": _names("users"),
        }
        if budget := request.form.get("budget", "").strip()[:LONGEST_NAME]:
            given["budget"] = budget
        try:
            services.device_editor.add(given)
        except SettingsRefused as refused:
            return _details(services, path, refused)
        if _is_first_setup():
            return redirect(url_for("settings.first_rules"), 303)
        return redirect(url_for("home.show", outcome="added"), 303)

    _changes(editor, services)
    return editor.blueprint


def _changes(editor: PageRoutes, services: WebServices) -> None:
    @editor.get("/edit", role=Role.OWNER)
    def edit() -> Response:
        return _edit(services, request.args.get("device", "")[:LONGEST_NAME])

    @editor.post("/edit", role=Role.OWNER)
    def change() -> Response:
        device_id = request.form.get("device", "")[:LONGEST_NAME]
        given = {
            "name": request.form.get("name", "").strip()[:LONGEST_NAME],
            "users": _names("users"),
            "managers": _names("managers"),
        }
        try:
            services.device_editor.change(device_id, given)
        except (NotPossible, SettingsRefused) as refused:
            return _edit(services, device_id, refused)
        return redirect(url_for("device_editor.edit", device=device_id, saved="yes"), 303)

    @editor.post("/decline", role=Role.OWNER)
    def decline() -> Response:
        services.device_editor.decline(request.form.get("drive", "")[:LONGEST_PATH])
        return redirect(redirects.safe_target(url_for("plans.devices")), 303)

    @editor.post("/move", role=Role.OWNER)
    def move() -> Response:
        services.device_editor.move(request.form.get("device", "")[:LONGEST_NAME])
        return redirect(redirects.safe_target(url_for("plans.devices")), 303)

    @editor.post("/forget", role=Role.OWNER)
    def forget() -> Response:
        device_id = request.form.get("device", "")[:LONGEST_NAME]
        with_files = request.form.get("files") == "delete"
        if request.form.get("sure") != "yes":
            view = services.device_editor.view(device_id)
            return make_response(
                render_template("devices/forget.html", device=view, with_files=with_files)
            )
        try:
            if with_files:
                services.orders.press(services.orders.kinds.forget, person(), device_id)
            else:
                services.device_editor.forget(device_id, with_files=False)
        except NotPossible as refused:
            return _edit(services, device_id, refused)
        return redirect(url_for("plans.devices", outcome="forgotten"), 303)


def _choose(services: WebServices, refused: NotPossible | None = None) -> Response:
    editor = services.device_editor
    asked, place = _browsed(), None
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    try:
        place = editor.browse(asked) if asked else None
    except NotPossible as trouble:
        refused = trouble
    page = render_template(
        "devices/add.html",
        drives=editor.drives(),
        roots=editor.roots(),
        place=place,
        refused=refused,
        first=_is_first_setup(),
    )
    return make_response(page, status)


def _details(services: WebServices, path: str, refused: SettingsRefused | None = None) -> Response:
    page = render_template(
        "devices/details.html",
        path=path,
        drive=services.device_editor.drive_at(path),
        other=services.device_editor.other_name(path),
        has_no_drive=services.device_editor.has_no_drive(path),
        name=request.form.get("name", services.device_editor.suggest_name(path))[:LONGEST_NAME],
        budget=request.form.get("budget", "")[:LONGEST_NAME],
        preset=request.form.get("preset", PresetName.GENERIC)[:LONGEST_NAME],
        presets=[one.value for one in PresetName],
        accounts=_accounts(services),
        users=_names("users"),
        reasons=refused.reasons if refused else {},
        words=labels,
        first=_is_first_setup(),
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)


def _edit(services: WebServices, device_id: str, refused: SidecarError | None = None) -> Response:
    view = services.device_editor.view(device_id)
    if view.settings is None and refused is None and not view.name:
        raise NotVisible
    page = render_template(
        "devices/edit.html",
        device=view,
        accounts=_accounts(services),
        refused=refused,
        saved=request.args.get("saved") == "yes",
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)


def _browsed() -> str:
    """Return the folder that the small browser shows."""
    return request.values.get("browse", "")[:LONGEST_PATH]


def _is_first_setup() -> bool:
    """Whether this is the second step of the first set-up."""
    return request.values.get("first") == "yes"


def _names(field: str) -> list[str]:
    return [one[:LONGEST_NAME] for one in request.form.getlist(field)[:100]]


def _accounts(services: WebServices) -> Sequence[str]:
    return [one.name for one in services.users.accounts(person())]
