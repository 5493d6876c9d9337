"""The WSGI middleware around pages, API, files and live connection.

    forwarded headers → Host → base URL → the application → headers of the response
    refused by the server ────────────▶ problem page or JSON ──▲

Authentication is not its task (see `auth`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.proxy_fix import ProxyFix

from sidecar.web.i18n.numbers import translatable
from sidecar.web.request.refusals import KEY, Refusal, Refusals
from sidecar.web.security.hosts import HostList, is_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Whether a request says that a proxy passed it on, trusted or not.
CAME_BY_PROXY = "sidecar.came_by_proxy"
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
WRONG_NAME = translatable(
    "This server does not answer to the name you used. "
    "Its owner can add the name to server.allowed_hosts."
)
OUTSIDE_BASE_URL = "/health"


class Middleware:
    """Wraps an application: trusted proxies, host check, base URL, security headers."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        refusals: Refusals,
        hosts: HostList,
        proxies: tuple[IPv4Network | IPv6Network, ...] = (),
        proxies_in_a_row: int = 1,
        base_url: str = "",
    ) -> None:
        self._app = app
        self._refusals = refusals
        self._hosts = hosts
        self._proxies = proxies
        self._proxies_in_a_row = proxies_in_a_row
        self._base_url = base_url
        self._forwarded = ProxyFix(self._admit, x_for=1, x_proto=1, x_host=1)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        answer = _with_headers(start_response)
        environ[CAME_BY_PROXY] = any(name in environ for name in (*FORWARDED, "HTTP_VIA"))
        if KEY in environ:
            return self._refuse(environ, answer, environ[KEY])
        if is_in(environ.get("REMOTE_ADDR", ""), self._proxies):
            _shorten(environ, self._proxies_in_a_row)
            return self._forwarded(environ, answer)
        return self._admit(environ, answer)

    def _admit(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for name in FORWARDED:
            environ.pop(name, None)
        if not self._hosts.admits(environ.get("HTTP_HOST", "")):
            return self._refuse(
                environ, start_response, Refusal(HTTPStatus.BAD_REQUEST, WRONG_NAME)
            )
        return self._mount(environ, start_response)

    def _mount(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        below = self._below(path)
        inside = below is not None
        if self._base_url and not inside and path != OUTSIDE_BASE_URL:
            if path == "/":
                return _redirect(start_response, f"{self._base_url}/")
            return self._refuse(environ, start_response, Refusal(HTTPStatus.NOT_FOUND))
        if below != "":
            environ["SCRIPT_NAME"] = self._base_url
            environ["PATH_INFO"] = path if below is None else below
            return self._app(environ, start_response)
        return _redirect(start_response, f"{self._base_url}/")

    def _below(self, path: str) -> str | None:
        """Return the path below the base URL, None if it is not below it."""
        below = path.removeprefix(self._base_url)
        return below if path.startswith(self._base_url) and below[:1] in {"/", ""} else None

    def _refuse(
        self, environ: WSGIEnvironment, start_response: StartResponse, refused: Refusal | Exception
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        known = {"SCRIPT_NAME": self._base_url, "PATH_INFO": self._below(path) or path}
        return self._refusals(environ | known | {KEY: refused}, start_response)


def _shorten(environ: WSGIEnvironment, proxies: int) -> None:
    """Keep the forwarded values that the first of our proxies has added: it sees the browser.

    Each proxy adds a value or passes on the existing one. Values before the last `proxies` ones
    come from the browser itself and are not trusted.
    """
    for name in ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO"):
        values = environ.get(name, "").split(",")
        if len(values) > 1:
            environ[name] = values[-proxies:][0].strip()


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


def _redirect(start_response: StartResponse, where: str) -> Iterable[bytes]:
    start_response("302 Found", [("Location", where), ("Content-Length", "0")])
    return []
