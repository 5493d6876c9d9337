"""Is the sidecar at work? Open to everybody, and it tells nothing else."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from sidecar.web.services import WebServices


def routes(services: WebServices) -> Blueprint:
    """Return the route for monitors."""
    desk = services.downloads
    health = Blueprint("health", __name__)

    @health.get("/health")
    def show() -> Response:
        well = desk.is_healthy()
        reply = jsonify(status="ok" if well else "unwell")
        reply.status_code = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
        return reply

    return health
