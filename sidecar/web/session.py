"""The API's way in and out: `/api/v1/session`."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from sidecar.services.accounts.person import Visit
from sidecar.services.downloads.views import Desk
from sidecar.web import bodies, presenters, security

EndSession = Callable[[str], None]


def routes(desk: Desk, end_session: EndSession) -> Blueprint:
    """Return the routes.

    Args:
        desk: What is asked.
        end_session: Told the secret of a session that has ended, to close its live connections.
    """
    session = Blueprint("session", __name__, url_prefix="/api/v1/session")

    @session.post("")
    def begin() -> Response:
        credentials = bodies.read(bodies.Credentials)
        visit = desk.sign_in(
            credentials.username, credentials.password.get_secret_value(), security.caller()
        )
        leave(desk, end_session)
        reply = jsonify(user=presenters.person(visit.person), csrf=visit.csrf)
        security.give_cookie(reply, visit)
        return reply

    @session.get("")
    def show() -> Response:
        visit = security.asker().visit
        user = presenters.person(security.person())
        return jsonify(user=user, csrf=visit.csrf if visit else None)

    @session.delete("")
    def end() -> Response:
        leave(desk, end_session)
        reply = Response(status=HTTPStatus.NO_CONTENT)
        security.take_cookie(reply)
        return reply

    return session


def leave(desk: Desk, end_session: EndSession) -> None:
    """End the session that the current request came with, if it did, and what hangs on it."""
    visit: Visit | None = security.asker().visit
    if visit is not None:
        desk.sign_out(visit.secret)
        end_session(visit.secret)
