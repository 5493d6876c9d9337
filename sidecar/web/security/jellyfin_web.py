"""Lets the pages of Jellyfin's own web client use a few routes of the API: CORS, and their keys.

    server.jellyfin_web_origins ─▶ page_origin ─▶ auth looks for a key of exactly this origin
                                        └───────▶ Access-Control-Allow-Origin

Only the routes of one group (`GROUP`) are open to such pages, only with a key that a person made
for this origin, and never with a cookie. Whatever else runs in Jellyfin's pages could read the key:
so it opens nothing but these routes, and what is the person's own.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, current_app, request

from sidecar.web.request.errors import ApiError
from sidecar.web.security.hosts import is_own_origin

# The group of routes, see `sidecar.web.api.jellyfin_web`.
GROUP = "jellyfin_web"
ORIGINS = "sidecar.jellyfin_web_origins"
PREFLIGHT = "OPTIONS"
PREFLIGHT_LASTS_S = 600


def register(app: Flask, origins: tuple[str, ...]) -> None:
    """Open the group to pages of these origins."""
    app.extensions[ORIGINS] = frozenset(origins)
    app.after_request(_allow)


def origins() -> frozenset[str]:
    """Return the origins of Jellyfin's pages from the settings; none if this is off."""
    listed: frozenset[str] = current_app.extensions[ORIGINS]
    return listed


def page_origin() -> str | None:
    """Return the origin of the page that makes this request, if it may; else None."""
    if request.blueprint != GROUP:
        return None
    given = request.headers.get("Origin")
    if given is not None:
        return given if given in origins() else None
    # Jellyfin and we behind one name: the browser says no origin with what only reads.
    if request.headers.get("Sec-Fetch-Site") != "same-origin":
        return None
    return next((one for one in origins() if is_own_origin(one, request.host)), None)


def is_preflight() -> bool:
    """Whether a browser asks on behalf of such a page what it may send."""
    return request.method == PREFLIGHT and page_origin() is not None


def preflight(**_arguments: object) -> Response:
    """Answer a browser that asks what a page may send.

    Raises:
        ApiError: The page is not one of Jellyfin's (403).
    """
    if page_origin() is None:
        raise ApiError(HTTPStatus.FORBIDDEN)
    reply = Response(status=HTTPStatus.NO_CONTENT)
    reply.headers["Access-Control-Allow-Methods"] = "GET, POST"
    reply.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    reply.headers["Access-Control-Max-Age"] = str(PREFLIGHT_LASTS_S)
    return reply


def _allow(reply: Response) -> Response:
    if request.blueprint == GROUP:
        reply.vary.add("Origin")
        origin = page_origin()
        if origin is not None:
            # Without Access-Control-Allow-Credentials: no page sees what a cookie opens.
            reply.headers["Access-Control-Allow-Origin"] = origin
            reply.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return reply
