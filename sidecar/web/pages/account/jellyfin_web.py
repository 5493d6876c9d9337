"""`/jellyfin-web`: the button for Jellyfin's own web client, and the yes that gives it a key.

GET  /jellyfin-web.js            the script that a plugin loads into Jellyfin's pages
GET  /jellyfin-web/connect       asks whether the pages at one origin get a key
POST /jellyfin-web/connect       makes the key and hands it to the page that opened the window

The key comes from a window of ours that Jellyfin's page opens, not from the clipboard: it is never
shown, the browser gives it to exactly the origin that was asked about, and nobody learns to paste
a secret into another site's page.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from sidecar.web.actions import TOO_MANY, check_is_no_key
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import person
from sidecar.web.security.jellyfin_web import origins
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

SCRIPT = "vendor/jellyfin-web.js"


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    pages = PageRoutes("jellyfin_pages")

    @pages.get("/jellyfin-web.js", role=Role.ANYBODY)
    def script() -> Response:
        if not origins():
            raise ApiError(HTTPStatus.NOT_FOUND)
        source = Path(current_app.static_folder or "", SCRIPT).read_text(encoding="utf-8")
        reply = make_response(source)
        reply.mimetype = "text/javascript"
        # The one file of ours that pages of other origins may load; it holds no secret.
        reply.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        reply.headers["Cache-Control"] = "no-cache"
        reply.add_etag()
        return reply.make_conditional(request)

    @pages.get("/jellyfin-web/connect", role=Role.SIGNED_IN)
    def ask() -> Response:
        return _page(_origin())

    @pages.post("/jellyfin-web/connect", role=Role.SIGNED_IN)
    def connect() -> Response:
        origin = _origin()
        check_is_no_key()
        if not _is_theirs():
            return _page(origin, status=HTTPStatus.CONFLICT)
        made = services.api_keys.make_key(person(), f"Jellyfin · {origin}"[:100], origin=origin)
        if made is None:
            return _page(origin, trouble=TOO_MANY, status=HTTPStatus.CONFLICT)
        return _page(origin, secret=made[1], status=HTTPStatus.CREATED)

    return pages.blueprint


def _origin() -> str:
    """Return the origin that is asked about.

    Raises:
        ApiError: The settings do not list it (404).
    """
    origin = request.values.get("origin", "")
    if origin not in origins():
        raise ApiError(HTTPStatus.NOT_FOUND)
    return origin


def _is_theirs() -> bool:
    """Whether the person is signed in to Jellyfin's page under the same account."""
    return request.values.get("user", "") in {"", person().user_id}


def _page(
    origin: str,
    *,
    secret: str | None = None,
    trouble: str | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    page = render_template(
        "jellyfin_web.html",
        origin=origin,
        user=request.values.get("user", ""),
        is_theirs=_is_theirs(),
        secret=secret,
        trouble=trouble,
    )
    return make_response(page, status)
