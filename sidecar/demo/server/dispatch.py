"""Dispatches requests: start-up phase, base URL, authentication, route.

Touches no socket.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from sidecar.demo.protocol.authorization import parse_claim
from sidecar.demo.protocol.messages import (
    ErrorReply,
    Reply,
    Request,
    empty_reply,
    json_reply,
    server_error,
    text_reply,
)
from sidecar.demo.routes import (
    files,
    items,
    playlists,
    remote_control,
    sessions,
    system,
    user_data,
    users,
)
from sidecar.demo.routes.routing import RequestContext, RouteTable, check_access
from sidecar.demo.state.core import ServerState, StartupPhase

log = logging.getLogger(__name__)

_SOON = {"Retry-After": "005"}
_STARTING = b"<!doctype html><title>Jellyfin</title><p>Jellyfin Server is starting.</p>"
_LOADING = b"Jellyfin Server is loading. Please try again shortly."
_PAGE = b"<!doctype html><title>Jellyfin</title><p>The demo server has no web client.</p>"


class Dispatcher:
    """Answers requests of one server."""

    def __init__(self, core: ServerState, base_url: str) -> None:
        self._core = core
        self.base_url = base_url
        self._table = RouteTable(
            (
                *system.ROUTES,
                *users.ROUTES,
                *items.ROUTES,
                *user_data.ROUTES,
                *playlists.ROUTES,
                *sessions.ROUTES,
                *remote_control.ROUTES,
                *files.ROUTES,
            )
        )

    def answer(self, request: Request) -> Reply:
        """Return the answer to any request."""
        try:
            with self._core.lock:
                return self._answer(request)
        except ErrorReply as refused:
            return refused.reply
        except Exception:
            log.exception("the demo server could not answer %s %s", request.method, request.path)
            return server_error(HTTPStatus.INTERNAL_SERVER_ERROR)

    def authenticate(
        self, request: Request, places: dict[str, str] | None = None
    ) -> RequestContext:
        """Authenticate a request."""
        claim = parse_claim(request.headers.get, request.value, speaks=self._core.speaks)
        device = self._core.devices.find(claim.token) if claim.token else None
        user = self._core.users.by_id.get(device.user_id) if device else None
        return RequestContext(self._core, request, claim, device, user, places or {})

    def strip_base_url(self, path: str) -> str | None:
        """Return a path without the base URL; None if it is outside."""
        if not self.base_url:
            return path
        outer, inner = path[: len(self.base_url)], path[len(self.base_url) :]
        is_inside = outer.lower() == self.base_url.lower() and inner[:1] in {"", "/"}
        return (inner or "/") if is_inside else None

    def _answer(self, request: Request) -> Reply:
        if self._core.phase in {StartupPhase.STARTING, StartupPhase.ALMOST}:
            return self._starting(request)
        path = self.strip_base_url(request.path)
        if path is None:
            target = "/health" if request.path.lower() == "/health" else "/web/"
            return empty_reply(HTTPStatus.FOUND, Location=self.base_url + target)
        if self._core.phase is StartupPhase.LOADING:
            return self._loading(request)
        if path.lower().startswith("/web/"):
            return text_reply(_PAGE)
        if path == "/":
            return empty_reply(HTTPStatus.FOUND, Location=f"{self.base_url}/web/")
        route, places = self._table.find(request.method, path)
        ask = self.authenticate(request, places)
        check_access(route, ask)
        return route.answer(ask)

    def _starting(self, request: Request) -> Reply:
        """Answer as Jellyfin's start-up server does, which ignores the base URL."""
        path = request.path.lower()
        if path == "/health":
            return system.health_reply("Degraded")
        if path == "/system/info/public":
            if self._core.phase is StartupPhase.STARTING:
                return empty_reply(HTTPStatus.SERVICE_UNAVAILABLE, **_SOON)
            return json_reply(system.startup_info(self.authenticate(request)))
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return Reply(_STARTING, status, _SOON, content_type="text/html")

    def _loading(self, request: Request) -> Reply:
        ask = self.authenticate(request)
        is_open = request.path.lower().endswith(("/health", "/system/info/public"))
        if ask.user is None and not is_open:
            return empty_reply(HTTPStatus.UNAUTHORIZED)
        return text_reply(_LOADING, status=HTTPStatus.SERVICE_UNAVAILABLE)
