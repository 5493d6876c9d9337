"""`/undo` and `/api/v1/undo/TOKEN`: taking back what one did a moment ago.

Pages lead back with `?done=TOKEN`: the layout says what was done, with a button that undoes it.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from sidecar.services.downloads.undo import UndoRecord, UndoService
from sidecar.web import redirects
from sidecar.web.i18n.numbers import translatable
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import asker, person
from sidecar.web.services import WebServices

DONE = "done"
LONGEST_TOKEN = 40
OVER = translatable("This cannot be undone any more: it was too long ago, or was undone already.")


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    undoing = services.undo
    undo = Blueprint("undo", __name__)

    @undo.app_context_processor
    def words() -> dict[str, object]:
        return {"just_done": lambda: _just_done(undoing)}

    @undo.post("/undo")
    def undo_on_page() -> BaseResponse:
        token = request.form.get("token", "")[:LONGEST_TOKEN]
        record = _undone(undoing, token)
        return redirect(
            leading_back(redirects.safe_target(url_for("pages.downloads")), record), 303
        )

    @undo.post("/api/v1/undo/<string(maxlength=40):token>")
    def undo_for_programs(token: str) -> Response:
        record = _undone(undoing, token)
        return jsonify(action=record.action, files=record.total)

    return undo


def leading_back(where: str, record: UndoRecord | None) -> str:
    """Return an address of ours that tells, where it leads, what was done."""
    if record is None:
        return where
    path, _, query = where.partition("?")
    kept = [one for one in query.split("&") if one and not one.startswith(f"{DONE}=")]
    return f"{path}?{'&'.join([*kept, urlencode({DONE: record.token})])}"


def told(record: UndoRecord) -> dict[str, object] | None:
    """Return how programs undo it; None if that cannot be done."""
    return {"token": record.token} if record.can_undo else None


def _just_done(undoing: UndoService) -> UndoRecord | None:
    token = request.args.get(DONE, "")[:LONGEST_TOKEN]
    who = asker().person
    return undoing.record(who, token) if token and who else None


def _undone(undoing: UndoService, token: str) -> UndoRecord:
    record = undoing.undo(person(), token)
    if record is None:
        raise ApiError(HTTPStatus.CONFLICT, OVER, facts={"code": "over"})
    return record
