"""`/setup`: the first set-up, while the sidecar runs on its demo; afterwards there is none.

GET  /setup                                    the address, then the sign-in
POST /setup/code · server · sign-in · quick-connect · quick-connect/finish
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.services.configuration.setup.service import SetUpRefused, SetUpService
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.cookies import set_cookie
from sidecar.web.security import auth
from sidecar.web.security.permissions import Role

TICKET = "sidecar_setup"
LONGEST = 1000


def routes(service: SetUpService) -> Blueprint:
    """Return the routes."""
    setup = PageRoutes("set_up", url_prefix="/setup")
    _first_steps(setup, service)
    _sign_in_steps(setup, service)
    return setup.blueprint


def over() -> Blueprint:
    """Return the routes once everything is set up: whoever still comes is led home."""
    ended = PageRoutes("set_up_over", url_prefix="/setup")

    @ended.get("", role=Role.ANYBODY)
    def leave() -> Response:
        return redirect(url_for("home.show"), 303)

    @ended.post("/<path:step>", role=Role.ANYBODY)
    def leave_step(step: str) -> Response:  # noqa: ARG001 - whichever it was
        return leave()

    return ended.blueprint


def _first_steps(setup: PageRoutes, service: SetUpService) -> None:
    @setup.get("", role=Role.ANYBODY)
    def show() -> Response:
        if service.is_known(_ticket()):
            return _page(service)
        return _begin(service, "") if auth.is_on_this_machine() else _page(service, needs_code=True)

    @setup.post("/code", role=Role.ANYBODY)
    def code() -> Response:
        try:
            return _begin(service, request.form.get("code", "")[:LONGEST])
        except SetUpRefused as refused:
            return _page(service, refused, needs_code=True)

    @setup.post("/server", role=Role.ANYBODY)
    def server() -> Response:
        try:
            service.test(_ticket(), request.form.get("address", "")[:LONGEST])
        except SetUpRefused as refused:
            return _page(service, refused, wants_server=True)
        return redirect(url_for("set_up.show"), 303)


def _sign_in_steps(setup: PageRoutes, service: SetUpService) -> None:
    @setup.post("/sign-in", role=Role.ANYBODY)
    def sign_in() -> Response:
        name = request.form.get("username", "").strip()[:LONGEST]
        password = request.form.get("password", "")[:LONGEST]
        try:
            session = service.sign_in(_ticket(), name, password, request.remote_addr or "")
        except SetUpRefused as refused:
            return _page(service, refused)
        return _done(session)

    @setup.post("/quick-connect", role=Role.ANYBODY)
    def quick_connect() -> Response:
        try:
            return _page(service, code=service.start_quick_connect(_ticket()))
        except SetUpRefused as refused:
            return _page(service, refused)

    @setup.post("/quick-connect/finish", role=Role.ANYBODY)
    def finish() -> Response:
        try:
            session = service.finish_quick_connect(_ticket(), request.remote_addr or "")
        except SetUpRefused as refused:
            return _page(service, refused)
        if session is None:
            return _page(service, code=request.form.get("code", "")[:20], asked=True)
        return _done(session)


def _begin(service: SetUpService, code: str) -> Response:
    ticket = service.begin(is_local=auth.is_on_this_machine(), code=code)
    reply = redirect(url_for("set_up.show"), 303)
    set_cookie(reply, TICKET, ticket, path=url_for("set_up.show"), same_site="Strict")
    return reply


def _page(
    service: SetUpService,
    refused: SetUpRefused | None = None,
    *,
    needs_code: bool = False,
    wants_server: bool = False,
    code: str = "",
    asked: bool = False,
) -> Response:
    may = service.is_known(_ticket())
    server = service.server(_ticket()) if may else None
    asks_server = wants_server or server is None or "server" in request.args
    page = render_template(
        "setup/setup.html",
        refused=refused,
        needs_code=needs_code or not may,
        server=None if asks_server else server,
        found=service.found() if may and asks_server and request.method == "GET" else (),
        typed=request.form.get("address", "")[:LONGEST],
        name=request.form.get("username", "")[:LONGEST],
        code=code,
        asked=asked,
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)


def _done(session: str) -> Response:
    where = url_for("set_up.show").removesuffix("/setup")
    reply = make_response(render_template("setup/done.html", next=f"{where}/devices/add?first=yes"))
    auth.give_session_cookie(reply, session)
    return reply


def _ticket() -> str:
    return request.cookies.get(TICKET, "")[:LONGEST]
