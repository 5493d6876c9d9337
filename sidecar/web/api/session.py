"""The API's way in and out: `/api/v1/session`."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from sidecar.services.accounts.person import WebSession
from sidecar.services.accounts.sign_in import SignInService
from sidecar.web.api import presenters
from sidecar.web.request import json_body
from sidecar.web.security import auth
from sidecar.web.services import WebServices

EndSession = Callable[[str], None]


def routes(services: WebServices, end_session: EndSession) -> Blueprint:
    """Return the routes.

    Args:
        services: What is asked.
        end_session: Told the secret of a session that has ended, to close its live connections.
    """
    desk = services.sign_in
    session = Blueprint("session", __name__, url_prefix="/api/v1/session")

    @session.post("")
    def begin() -> Response:
        credentials = json_body.read(json_body.Credentials)
        visit = desk.sign_in(
            credentials.username, credentials.password.get_secret_value(), auth.caller()
        )
        leave(desk, end_session)
        reply = jsonify(user=presenters.person(visit.person), csrf=visit.csrf)
        auth.give_cookie(reply, visit)
        return reply

    @session.get("")
    def show() -> Response:
        visit = auth.asker().visit
        user = presenters.person(auth.person())
        return jsonify(user=user, csrf=visit.csrf if visit else None)

    @session.delete("")
    def end() -> Response:
        leave(desk, end_session)
        reply = Response(status=HTTPStatus.NO_CONTENT)
        auth.clear_cookie(reply)
        return reply

    return session


def leave(desk: SignInService, end_session: EndSession) -> None:
    """End the session that the current request came with, if it did, and what hangs on it."""
    visit: WebSession | None = auth.asker().visit
    if visit is not None:
        desk.sign_out(visit.secret)
        end_session(visit.secret)
