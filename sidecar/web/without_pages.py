"""What is answered by a process that serves no pages: whether it is well, and its figures."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from sidecar.web.security.middleware import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEALTH, METRICS = "/health", "/metrics"
TEXT = (
    "This process of Jellyfin Sidecar serves no pages: it was started with --role. The pages are "
    "where one runs with --role web.\n"
)


def without_pages(app: WSGIApplication, base_url: str) -> WSGIApplication:
    """Return an application that answers two paths as `app` does, and says of all others why not.

    Args:
        app: The whole application.
        base_url: The path before all others.
    """
    answered = {HEALTH, f"{base_url}{HEALTH}", f"{base_url}{METRICS}"}
    refusal = Response(
        TEXT, HTTPStatus.NOT_FOUND, dict(HEADERS), content_type="text/plain; charset=utf-8"
    )

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_answered = environ.get("PATH_INFO", "") in answered
        return (app if is_answered else refusal)(environ, start_response)

    return answer
