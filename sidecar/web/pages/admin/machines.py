"""`/admin/machines`: the machines of the installation, and a code for another one.

POST /admin/machines/remove     takes one off the list that is not heard of any more
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar import __version__
from sidecar.errors import DatabaseError, NotPossible, SidecarError
from sidecar.services.operations.machines import JoinCode, JoinRefused
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

LONGEST_NAME = 80


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    machines = PageRoutes("machines", url_prefix="/admin/machines")

    @machines.get("", role=Role.OWNER)
    def show() -> Response:
        return _page(services)

    @machines.post("", role=Role.OWNER)
    def make_code() -> Response:
        try:
            return _page(services, made=services.machines.make_code())
        except JoinRefused as refused:
            return _page(services, refused)

    @machines.post("/remove", role=Role.OWNER)
    def remove() -> Response:
        name = request.form.get("machine", "")[:LONGEST_NAME]
        if request.form.get("sure") != "yes":
            found = services.machine_list.find(name)
            return make_response(render_template("admin/remove_machine.html", machine=found))
        try:
            services.machine_list.remove(name)
        except (NotPossible, DatabaseError) as refused:
            return _page(services, refused)
        return redirect(url_for("machines.show"), 303)

    return machines.blueprint


def _page(
    services: WebServices, refused: SidecarError | None = None, *, made: JoinCode | None = None
) -> Response:
    page = render_template(
        "admin/machines.html",
        machines=services.machine_list.all(),
        version=__version__,
        is_possible=services.machines.is_possible,
        own_keys=services.machine_list.are_keys_possible(),
        address=request.url_root.rstrip("/"),
        refused=refused,
        made=made,
    )
    answer = make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)
    if made:
        answer.headers["Cache-Control"] = "no-store"
    return answer
