"""`/sign-in` and `/sign-out`: signing in by password or by Quick Connect, and signing out.

Quick Connect needs no script: the page shows the code and a button that checks whether the code
was approved. Scripts press the button automatically.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from sidecar.errors import JellyfinError, SidecarError, SignInRefused, TooManyTries
from sidecar.services.accounts.person import QuickConnectCode, WebSession
from sidecar.web import redirects
from sidecar.web.i18n.languages import Languages
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.cookies import set_cookie
from sidecar.web.security import auth
from sidecar.web.security.auth import EndSession, leave
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

TICKET = "sidecar_ticket"
TICKET_LASTS_S = 600
LONGEST_NAME = 200
LONGEST_PASSWORD = 1000


def routes(services: WebServices, end_session: EndSession) -> Blueprint:
    """Return the routes; `end_session` closes the live connections of a session."""
    sign_in = PageRoutes("sign_in")
    _password_routes(sign_in, services, end_session)
    _quick_connect_routes(sign_in, services, end_session)
    return sign_in.blueprint


def _password_routes(sign_in: PageRoutes, services: WebServices, end_session: EndSession) -> None:
    service = services.sign_in

    @sign_in.get("/sign-in", role=Role.ANYBODY)
    def show() -> Response:
        if auth.asker().person is not None:
            return redirect(redirects.safe_target(url_for("home.show")), 303)
        return _page()

    @sign_in.post("/sign-in", role=Role.ANYBODY)
    def with_password() -> Response:
        name, password = request.form.get("username", ""), request.form.get("password", "")
        if not name.strip() or len(name) > LONGEST_NAME or len(password) > LONGEST_PASSWORD:
            return _page(translatable("Enter your Jellyfin name and password."))
        try:
            visit = service.sign_in(name.strip(), password, auth.caller())
        except (SignInRefused, JellyfinError) as refused:
            return _page(refused)
        return _come_in(services, end_session, visit)

    @sign_in.post("/sign-out", role=Role.SIGNED_IN)
    def sign_out() -> Response:
        leave(service, end_session)
        reply = make_response(redirect(url_for("sign_in.show"), 303))
        auth.clear_cookie(reply)
        return reply


def _quick_connect_routes(
    sign_in: PageRoutes, services: WebServices, end_session: EndSession
) -> None:
    service = services.sign_in

    @sign_in.post("/sign-in/quick-connect", role=Role.ANYBODY)
    def start_quick_connect() -> Response:
        try:
            code = service.start_quick_connect(auth.caller())
        except (SignInRefused, JellyfinError) as refused:
            return _page(refused)
        reply = redirect(url_for("sign_in.show_quick_connect", next=request.form.get("next")), 303)
        _give_ticket(reply, code)
        return reply

    @sign_in.get("/sign-in/quick-connect", role=Role.ANYBODY)
    def show_quick_connect() -> Response:
        return _code_page() or redirect(url_for("sign_in.show"), 303)

    @sign_in.post("/sign-in/quick-connect/finish", role=Role.ANYBODY)
    def finish_quick_connect() -> Response:
        ticket = request.cookies.get(TICKET, "").rpartition(".")[2]
        try:
            visit = service.finish_quick_connect(ticket, auth.caller())
        except (SignInRefused, JellyfinError) as refused:
            return _page(refused)
        if visit is None:
            return _code_page(asked=True) or redirect(url_for("sign_in.show"), 303)
        return _come_in(services, end_session, visit)


def _come_in(services: WebServices, end_session: EndSession, visit: WebSession) -> Response:
    leave(services.sign_in, end_session)
    services.client_messages.learn_language(visit.person, Languages().now())
    reply: FlaskResponse = make_response(redirect(redirects.safe_target(url_for("home.show")), 303))
    auth.give_cookie(reply, visit)
    reply.delete_cookie(TICKET, path=url_for("sign_in.show"))
    return reply


def _page(trouble: SidecarError | str | None = None) -> Response:
    page = render_template(
        "sign_in/sign_in.html",
        trouble=trouble,
        name=request.form.get("username", "")[:LONGEST_NAME],
        next=redirects.wanted(),
        was_signed_in=trouble is None and auth.cookie_name() in request.cookies,
        is_secure=request.is_secure or auth.is_on_this_machine(),
    )
    status = HTTPStatus.OK
    if isinstance(trouble, JellyfinError):
        status = HTTPStatus.SERVICE_UNAVAILABLE
    elif isinstance(trouble, TooManyTries):
        status = HTTPStatus.TOO_MANY_REQUESTS
    elif trouble is not None:
        status = HTTPStatus.UNAUTHORIZED
    return make_response(page, status)


def _code_page(*, asked: bool = False) -> Response | None:
    code, dot, ticket = request.cookies.get(TICKET, "").rpartition(".")
    if not (code and dot and ticket):
        return None
    wanted = redirects.wanted()
    return make_response(
        render_template("sign_in/quick_connect.html", code=code, asked=asked, next=wanted)
    )


def _give_ticket(reply: Response, code: QuickConnectCode) -> None:
    ticket = f"{code.code}.{code.ticket}"
    set_cookie(reply, TICKET, ticket, path=url_for("sign_in.show"), lasts_s=TICKET_LASTS_S)
