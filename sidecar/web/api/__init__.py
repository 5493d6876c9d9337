"""`/api/v1`: JSON routes, one module for each resource."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint

from sidecar.web.api import (
    adoption,
    api_keys,
    download_actions,
    downloads,
    files,
    health,
    library,
    media,
    openapi,
    plans,
    playback,
    player_logs,
    preferences,
    removals,
    session,
    syncthing,
    transfers,
    undo,
    users,
)
from sidecar.web.services import WebServices


def blueprints(services: WebServices, end_session: Callable[[str], None]) -> list[Blueprint]:
    """Return all routes of the API; `end_session` closes the live connections of a session."""
    return [
        # First, so that werkzeug says 404 and not 405 of a number that is no download's.
        downloads.routes(services),
        adoption.routes(services),
        api_keys.routes(services),
        download_actions.routes(services),
        files.routes(services),
        health.routes(services),
        library.routes(services),
        media.routes(services),
        openapi.routes(),
        plans.routes(services),
        playback.routes(services),
        player_logs.routes(services),
        preferences.routes(services),
        removals.routes(services),
        session.routes(services, end_session),
        syncthing.routes(services),
        transfers.routes(services),
        undo.routes(services),
        users.routes(services),
    ]
