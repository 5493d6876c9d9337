"""`/now`: what plays now, and the play history."""

from __future__ import annotations

import math

from flask import Blueprint, render_template, request

from sidecar.web.i18n import status_labels
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.pages.view_params import parse_page
from sidecar.web.request.query_params import PAGE_SIZE
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    plays = PageRoutes("plays")

    @plays.get("/now", role=Role.SIGNED_IN)
    def now_page() -> str:
        page = parse_page(request.args.get("page", "1"))
        found = services.playback.plays(person(), None, page, PAGE_SIZE)
        return render_template(
            "now.html",
            playing=services.playback.now(person()),
            is_known=services.notices.is_server_there,
            found=found,
            last_page=max(1, math.ceil(found.total / PAGE_SIZE)),
            states=status_labels.PLAIN,
        )

    return plays.blueprint
