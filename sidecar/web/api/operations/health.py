"""`/health`: whether the sidecar works."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, jsonify

from sidecar.web.api.endpoints import Endpoints
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

health = Endpoints("health", "")


@health.get("/health", role=Role.ANYBODY, media="application/json")
def show(services: WebServices) -> Response:
    """Check whether the sidecar works; needs no sign-in and tells nothing else."""
    is_well = services.system.is_healthy()
    reply = jsonify(status="ok" if is_well else "unwell")
    reply.status_code = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
    return reply
