"""The outermost layer: what every request passes, pages, API, files and live connection alike.

    forwarded headers → Host → base URL → the application → headers on the answer

It decides nothing about people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.proxy_fix import ProxyFix

from sidecar.web.hosts import HostList, is_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_PROXY",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_HTTP_METHOD_OVERRIDE",
    "HTTP_X_ORIGINAL_URL",
    "HTTP_X_REAL_IP",
    "HTTP_X_REWRITE_URL",
)
CSP = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
# `no-referrer` would make browsers send `Origin: null` with our own forms.
HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": CSP,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
)
OUTSIDE_BASE_URL = "/health"


class Gate:
    """A WSGI application round ours."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        hosts: HostList,
        proxies: tuple[IPv4Network | IPv6Network, ...] = (),
        base_url: str = "",
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._proxies = proxies
        self._base_url = base_url
        self._forwarded = ProxyFix(self._admit, x_for=1, x_proto=1, x_host=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        answer = _with_headers(start_response)
        if is_in(environ.get("REMOTE_ADDR", ""), self._proxies):
            return self._forwarded(environ, answer)
        return self._admit(environ, answer)

    def _admit(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for name in FORWARDED:
            environ.pop(name, None)
        if not self._hosts.admits(environ.get("HTTP_HOST", "")):
            return _plain(
                start_response,
                "400 Bad Request",
                "This server does not answer to the name you used. "
                "Its owner can add the name to server.allowed_hosts.",
            )
        return self._mount(environ, start_response)

    def _mount(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        below = path.removeprefix(self._base_url)
        inside = path.startswith(self._base_url) and below[:1] in {"/", ""}
        if self._base_url and not inside and path != OUTSIDE_BASE_URL:
            if path == "/":
                return _redirect(start_response, f"{self._base_url}/")
            return _plain(start_response, "404 Not Found", "There is nothing here.")
        if not inside or below:
            environ["SCRIPT_NAME"] = self._base_url
            environ["PATH_INFO"] = below if inside else path
            return self._app(environ, start_response)
        return _redirect(start_response, f"{self._base_url}/")


def _with_headers(start_response: StartResponse) -> StartResponse:
    def answer(
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,  # noqa: ANN401 - WSGI's own type, passed on as it is
        /,
    ) -> Callable[[bytes], object]:
        given = {name.lower() for name, _ in headers}
        ours = [(name, value) for name, value in HEADERS.items() if name.lower() not in given]
        return start_response(status, [*headers, *ours], exc_info)

    return answer


def _plain(start_response: StartResponse, status: str, text: str) -> Iterable[bytes]:
    body = f"{text}\n".encode()
    length = str(len(body))
    start_response(
        status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", length)]
    )
    return [body]


def _redirect(start_response: StartResponse, where: str) -> Iterable[bytes]:
    start_response("302 Found", [("Location", where), ("Content-Length", "0")])
    return []
