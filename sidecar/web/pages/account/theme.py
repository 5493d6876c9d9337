"""`/theme`: chooses light or dark pages, or what the system prefers; kept in a cookie."""

from __future__ import annotations

from types import MappingProxyType

from flask import Blueprint, Flask, redirect, request, url_for
from werkzeug.wrappers import Response

from sidecar.web import redirects
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.cookies import A_YEAR_S, set_cookie
from sidecar.web.security.permissions import Role

COOKIE = "sidecar_theme"
SYSTEM = "system"
# The colour of the page, which phones give to their own bars.
COLOURS = MappingProxyType({"light": "#f6f6f9", "dark": "#14141b"})


def routes() -> Blueprint:
    """Return the routes."""
    themes = PageRoutes("themes")

    @themes.post("/theme", role=Role.ANYBODY)
    def choose() -> Response:
        reply = redirect(redirects.safe_target(url_for("home.show")), 303)
        asked, path = request.form.get("theme", ""), url_for("home.show")
        if asked == SYSTEM:
            reply.delete_cookie(COOKIE, path=path)
        elif asked in COLOURS:
            set_cookie(reply, COOKIE, asked, path=path, lasts_s=A_YEAR_S)
        return reply

    return themes.blueprint


def teach(app: Flask) -> None:
    """Add `theme()`, empty for that of the system, and its colours to the templates."""

    def theme() -> str:
        asked = request.cookies.get(COOKIE, "")
        return asked if asked in COLOURS else ""

    app.jinja_env.globals |= {"theme": theme, "theme_colours": COLOURS}
