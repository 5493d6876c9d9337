"""`/undo`: undoes a person's recent action.

After an action, pages redirect with `?done=TOKEN`: the layout says what was done and has a button
that undoes it.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from sidecar.services.downloads.undo import UndoRecord
from sidecar.web import redirects
from sidecar.web.api.downloads import LONGEST_TOKEN, take_back
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
        return {"just_done": lambda: _just_done(services)}

    @undo.post("/undo", role=Role.SIGNED_IN)
    def undo_on_page() -> Response:
        record = take_back(services, request.form.get("token", "")[:LONGEST_TOKEN])
        return redirect(
            leading_back(redirects.safe_target(url_for("pages.downloads")), record), 303
        )

    return undo.blueprint


def leading_back(where: str, record: UndoRecord | None) -> str:
    """Add the token of an action to a local URL, so that its page can offer to undo the action."""
    if record is None:
        return where
    path, _, query = where.partition("?")
    kept = [one for one in query.split("&") if one and not one.startswith(f"{DONE}=")]
    return f"{path}?{'&'.join([*kept, urlencode({DONE: record.token})])}"


def _just_done(services: WebServices) -> UndoRecord | None:
    token = request.args.get(DONE, "")[:LONGEST_TOKEN]
    who = asker().person
    return services.undo.record(who, token) if token and who else None
