"""The HTML pages, rendered on the server."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint

from sidecar.web.pages import alerts, home, installed, now, orders, this_browser, undo
from sidecar.web.pages.account import (
    jellyfin_web,
    language,
    notifications,
    profile,
    sign_in,
    theme,
)
from sidecar.web.pages.activity import replay
from sidecar.web.pages.activity import routes as activity
from sidecar.web.pages.admin import checks, log, machines, settings, tasks, webhooks
from sidecar.web.pages.admin import overview as admin
from sidecar.web.pages.devices import device, identity, imports, plans, player
from sidecar.web.pages.devices import editor as device_editor
from sidecar.web.pages.downloads import actions as download_actions
from sidecar.web.pages.downloads import routes as downloads
from sidecar.web.pages.files import routes as files
from sidecar.web.pages.help import routes as help_pages
from sidecar.web.pages.library import routes as library
from sidecar.web.pages.library import selections
from sidecar.web.services import WebServices


def blueprints(services: WebServices, end_session: Callable[[str], None]) -> list[Blueprint]:
    """Return the blueprints of all pages; `end_session` closes a session's live connections."""
    return [
        activity.routes(services),
        admin.routes(services),
        alerts.routes(services),
        checks.routes(services),
        device.routes(services),
        device_editor.routes(services),
        download_actions.routes(services),
        downloads.routes(services),
        files.routes(services),
        help_pages.routes(),
        home.routes(services),
        identity.routes(services),
        imports.routes(services),
        player.routes(services),
        installed.routes(),
        jellyfin_web.routes(services),
        language.routes(services),
        library.routes(services),
        log.routes(services),
        selections.routes(services),
        machines.routes(services),
        notifications.routes(services),
        now.routes(services),
        orders.routes(services),
        plans.routes(services),
        profile.routes(services),
        replay.routes(services),
        settings.routes(services),
        sign_in.routes(services, end_session),
        tasks.routes(services),
        theme.routes(),
        this_browser.routes(services),
        undo.routes(services),
        webhooks.routes(services),
    ]
