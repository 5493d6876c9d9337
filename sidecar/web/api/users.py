"""`/api/v1/accounts`, `/sessions`, `/server` and `/log`: who is here, and how it all stands."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request

from sidecar.services.accounts.users import AccountView, SessionView, UserService
from sidecar.services.system_status import LogLine, SystemStatus
from sidecar.web.api import presenters
from sidecar.web.request import query_params
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import asker, person
from sidecar.web.services import WebServices

ACCOUNT = "<string(length=32):user_id>"
SESSION = "<string(maxlength=64):session_id>"


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    people, hood = services.users, services.system
    api = Blueprint("people", __name__, url_prefix="/api/v1")
    _accounts(api, people)
    _sessions(api, people)
    _hood(api, hood)
    return api


def _accounts(api: Blueprint, people: UserService) -> None:
    @api.get("/accounts")
    def accounts() -> Response:
        return jsonify(presenters.whole([_account(one) for one in people.accounts(person())]))

    @api.post(f"/accounts/{ACCOUNT}/forget")
    def forget(user_id: str) -> Response:
        if not people.forget(person(), user_id):
            raise ApiError(HTTPStatus.NOT_FOUND)
        return Response(status=HTTPStatus.NO_CONTENT)


def _sessions(api: Blueprint, people: UserService) -> None:
    @api.get("/sessions")
    def sessions() -> Response:
        found = people.sessions(person(), own_secret())
        return jsonify(presenters.whole([_session(one) for one in found]))

    @api.delete("/sessions")
    def end_all() -> Response:
        return jsonify(ended=people.end_sessions(person()))

    @api.delete(f"/sessions/{SESSION}")
    def end(session_id: str) -> Response:
        if not people.end_session(person(), session_id):
            raise ApiError(HTTPStatus.NOT_FOUND)
        return Response(status=HTTPStatus.NO_CONTENT)


def _hood(api: Blueprint, hood: SystemStatus) -> None:
    @api.get("/server")
    def server() -> Response:
        view = hood.view()
        return jsonify(
            version=view.version,
            server_name=view.server_name,
            server_version=view.server_version,
            server_trouble=view.server_trouble,
            engine=view.engine,
            workers=view.workers,
            running=view.running,
            database_bytes=view.database_bytes,
            healthy=view.is_healthy,
        )

    @api.get("/log")
    def log() -> Response:
        asked = query_params.log_query(request.args)
        found = hood.log(asked.level, asked.text)
        first = (asked.page - 1) * asked.page_size
        return jsonify(
            items=[_line(one) for one in found[first : first + asked.page_size]],
            total=len(found),
            page=asked.page,
            page_size=asked.page_size,
        )


def own_secret() -> str | None:
    """Return the secret of the session that asks; None for a program."""
    visit = asker().visit
    return visit.secret if visit else None


def _account(one: AccountView) -> dict[str, object]:
    return {
        "id": one.user_id,
        "name": one.name,
        "is_admin": one.is_admin,
        "signed_in": one.is_signed_in,
        "signed_in_at": presenters.moment(one.signed_in_at),
        "last_seen_at": presenters.moment(one.last_seen_at),
        "files": one.files,
        "bytes": one.bytes,
    }


def _session(one: SessionView) -> dict[str, object]:
    return {
        "id": one.id,
        "account": one.account,
        "created_at": presenters.moment(one.created_at),
        "last_used_at": presenters.moment(one.last_used_at),
        "address": one.address,
        "this": one.is_this,
    }


def _line(one: LogLine) -> dict[str, object]:
    return {
        "at": presenters.moment(one.at),
        "level": one.level,
        "thread": one.thread,
        "text": one.text,
    }
