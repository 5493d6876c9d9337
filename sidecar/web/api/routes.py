"""Collects all routes of `/api/v1`. Loaded with the first request for one: see `web.late`."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus

from flask import Flask, Response, request

from sidecar.web.api.accounts import accounts, notifications
from sidecar.web.api.devices import (
    configuration,
    device,
    identity,
    imports,
    orders,
    preferences,
    syncthing,
)
from sidecar.web.api.downloads import actions, files, listing
from sidecar.web.api.endpoints import PREFIX, Endpoint, Endpoints
from sidecar.web.api.library import jellyfin_web, library, selections
from sidecar.web.api.openapi import described
from sidecar.web.api.operations import machines, server_change, system, webhooks
from sidecar.web.api.playback import playback, replay
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

openapi = Endpoints("openapi")
GROUPS = (
    accounts.session,
    accounts.people,
    accounts.keys,
    accounts.client_messages,
    notifications.notifications,
    webhooks.webhooks,
    system.system,
    system.transfers,
    listing.listing,
    actions.actions,
    device.devices,
    configuration.editor,
    configuration.settings,
    preferences.steering,
    syncthing.peers,
    identity.matches,
    identity.names,
    server_change.server,
    machines.machines,
    orders.orders,
    imports.adoption,
    imports.logs,
    imports.lists,
    library.items,
    jellyfin_web.buttons,
    selections.selections,
    files.offline,
    playback.playback,
    replay.replay,
    openapi,
)


@openapi.get("/openapi.json", role=Role.SIGNED_IN, media="application/json")
def show(_services: WebServices) -> Response:
    """Get this OpenAPI document."""
    return Response(_document(), mimetype="application/json")


@cache
def _document() -> str:
    """Return the document; making it takes a tenth of a second."""
    return json.dumps(described(endpoints()))


def endpoints() -> list[Endpoint]:
    """Return all declared routes."""
    return [one for group in GROUPS for one in group]


def register(app: Flask, services: WebServices) -> None:
    """Register all routes; calls no service."""
    for group in GROUPS:
        app.register_blueprint(group.routes(services))
    app.after_request(_answer_conditionally)


def _answer_conditionally(reply: Response) -> Response:
    """Add an ETag to successful JSON answers to GET, and answer 304 if the client has it."""
    is_read = request.method == "GET" and request.path.startswith(f"{PREFIX}/")
    if is_read and reply.status_code == HTTPStatus.OK and reply.is_json:
        reply.add_etag()
        reply.make_conditional(request)
    return reply
