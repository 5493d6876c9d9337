"""`/admin/log`: the recent log as it comes, by level and words, for admins alone."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.query_params import LOG_LEVELS, LONGEST_TEXT
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

LINES_SHOWN = 100


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    log = PageRoutes("log", url_prefix="/admin/log")

    @log.get("", role=Role.ADMIN)
    def show() -> str:
        level = request.args.get("level", "")
        text = request.args.get("q", "")[:LONGEST_TEXT].strip()
        lines = services.system.log(level if level in LOG_LEVELS else None, text)
        return render_template(
            "admin/log.html",
            lines=lines[:LINES_SHOWN],
            found=len(lines),
            level=level,
            levels=LOG_LEVELS,
            text=text,
            is_still=request.args.get("still") == "yes",
        )

    return log.blueprint
