"""`/metrics`: figures for Prometheus. Off unless the settings say otherwise.

It has no sign-in: with a key in the settings, whoever asks must send that; without one only
programs on this machine may ask, and only directly.
"""

from __future__ import annotations

from hmac import compare_digest
from http import HTTPStatus

from flask import Response, request

from sidecar.config.settings import MetricsSettings
from sidecar.errors import NotVisible
from sidecar.web.api.endpoints import Endpoints
from sidecar.web.i18n.numbers import translatable
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import is_on_this_machine
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

TYPE = "text/plain; version=0.0.4; charset=utf-8"
NEEDS_KEY = translatable("Send the key of the settings (metrics.key) as a bearer token.")
NOT_FROM_ELSEWHERE = translatable(
    "Without a key in the settings (metrics.key) only programs on this machine may ask."
)

metrics = Endpoints("metrics", "")


@metrics.get("/metrics", role=Role.ANYBODY, media=TYPE)
def show(services: WebServices) -> Response:
    """Show the figures for Prometheus; needs the key of the settings, or this machine."""
    _check(services.configuration.now().metrics)
    return Response(services.metrics(), content_type=TYPE)


def _check(settings: MetricsSettings) -> None:
    if not settings.enabled:
        raise NotVisible
    if settings.key is None:
        if not is_on_this_machine():
            raise ApiError(HTTPStatus.FORBIDDEN, NOT_FROM_ELSEWHERE)
        return
    scheme, _, sent = request.headers.get("Authorization", "").strip().partition(" ")
    wanted = settings.key.get_secret_value()
    if scheme.lower() != "bearer" or not compare_digest(sent.strip().encode(), wanted.encode()):
        raise ApiError(HTTPStatus.UNAUTHORIZED, NEEDS_KEY)
