"""`/undo`: undoes a person's recent action.

After an action, pages redirect with `?done=TOKEN`: the layout says what was done and has a button
that undoes it.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.services.downloads.undo import UndoRecord
from sidecar.web import redirects
from sidecar.web.actions import LONGEST_TOKEN, take_back
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.auth import asker
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

DONE = "done"


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    undo = PageRoutes("undo")

    @undo.blueprint.app_context_processor
    def words() -> dict[str, object]:
        return {"just_done": lambda: _just_done(services), "without_done": without_done}

    @undo.post("/undo", role=Role.SIGNED_IN)
    def undo_on_page() -> Response:
        record = take_back(services, request.form.get("token", "")[:LONGEST_TOKEN])
        return done_here_or_back(record, url_for("pages.downloads"))

    return undo.blueprint


def is_in_place() -> bool:
    """Whether a script asks, which puts the answer into the page that is open."""
    return "HX-Request" in request.headers


def done_here_or_back(record: UndoRecord | None, otherwise: str = "/") -> Response:
    """Answer an action: by what was done, for a script; else by the way back to the page."""
    if is_in_place():
        page = render_template("partials/undo.html", did=record, back=redirects.wanted())
        return make_response(page)
    return redirect(leading_back(redirects.safe_target(otherwise), record), 303)


def leading_back(where: str, record: UndoRecord | None) -> str:
    """Add the token of an action to a local URL, so that its page can offer to undo the action."""
    if record is None:
        return where
    plain = without_done(where)
    return f"{plain}{'&' if '?' in plain else '?'}{urlencode({DONE: record.token})}"


def without_done(where: str) -> str:
    """Return a local URL without the token of an action: its page says nothing of it any more."""
    path, _, query = where.partition("?")
    kept = [one for one in query.split("&") if one and not one.startswith(f"{DONE}=")]
    return f"{path}?{'&'.join(kept)}" if kept else path


def _just_done(services: WebServices) -> UndoRecord | None:
    token = request.args.get(DONE, "")[:LONGEST_TOKEN]
    who = asker().person
    return services.undo.record(who, token) if token and who else None
