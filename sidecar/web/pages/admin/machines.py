"""`/admin/machines`: the machines of the installation, and a code for another one."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from sidecar.services.operations.machines import JoinCode, JoinRefused
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices


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

    return machines.blueprint


def _page(
    services: WebServices, refused: JoinRefused | None = None, *, made: JoinCode | None = None
) -> Response:
    page = render_template(
        "admin/machines.html",
        processes=services.machines.all(),
        is_possible=services.machines.is_possible,
        address=request.url_root.rstrip("/"),
        refused=refused,
        made=made,
    )
    answer = make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)
    if made:
        answer.headers["Cache-Control"] = "no-store"
    return answer
