"""`/devices/ID/matches`, `…/names`, `/admin/server`: the pages for items, names and servers.

names     what files would be called today: the device's managers have them renamed
matches   files whose item is ambiguous: the device's managers choose it
server    another Jellyfin server at the address: an admin previews and accepts it
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from pydantic import SecretStr
from werkzeug.wrappers import Response

from sidecar.errors import JellyfinError, NotPossible, SidecarError, SignInRefused
from sidecar.services.identity.server_change import ServerPreview
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

ONE = "/devices/<string(maxlength=80):device_id>/matches"
NAMES = "/devices/<string(maxlength=80):device_id>/names"
LONGEST = 200
MOST_SHOWN = 100
NONE = "none"


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    review, change = services.identity, services.server_change
    identity = PageRoutes("identity")

    @identity.get(ONE, role=Role.SIGNED_IN)
    def matches(device_id: str) -> str:
        return render_template("identity/matches.html", shown=review.doubts(person(), device_id))

    @identity.post(ONE, role=Role.MANAGER)
    def answer(device_id: str) -> Response:
        item_id = request.form.get("item", "")[:LONGEST]
        now = request.form.get("is", NONE)[:LONGEST]
        shown = request.form.getlist("shown")[:MOST_SHOWN]
        review.answer(person(), device_id, item_id, None if now == NONE else now, shown or None)
        return redirect(url_for("identity.matches", device_id=device_id), 303)

    _add_names(identity, services)

    @identity.get("/admin/server", role=Role.ADMIN)
    def server() -> Response:
        return _server()

    @identity.post("/admin/server", role=Role.ADMIN)
    def take() -> Response:
        try:
            if "ticket" in request.form:
                change.accept(request.form["ticket"][:LONGEST])
                return redirect(url_for("admin.show"), 303)
            name = request.form.get("username", "")[:LONGEST]
            password = SecretStr(request.form.get("password", "")[:LONGEST])
            return _server(change.look(name, password))
        except (SignInRefused, NotPossible, JellyfinError) as refused:
            return _server(refused=refused)

    def _server(
        preview: ServerPreview | None = None, refused: SidecarError | None = None
    ) -> Response:
        page = render_template(
            "identity/server.html",
            other=preview.server if preview else change.other(),
            preview=preview,
            refused=refused,
        )
        return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)

    return identity.blueprint


def _add_names(identity: PageRoutes, services: WebServices) -> None:
    @identity.get(NAMES, role=Role.SIGNED_IN)
    def names(device_id: str) -> Response:
        return _names(device_id)

    @identity.post(NAMES, role=Role.MANAGER)
    def rename(device_id: str) -> Response:
        plan_id = request.form.get("plan", "")[:LONGEST]
        try:
            services.file_names.rename(person(), device_id, plan_id)
        except NotPossible as refused:
            return _names(device_id, refused)
        return redirect(url_for("identity.names", device_id=device_id), 303)

    def _names(device_id: str, refused: SidecarError | None = None) -> Response:
        shown = services.file_names.preview(person(), device_id)
        page = render_template("identity/names.html", shown=shown, refused=refused)
        return make_response(page, HTTPStatus.CONFLICT if refused else HTTPStatus.OK)
