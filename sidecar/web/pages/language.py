"""`/language`: chooses the language of the pages, kept in a cookie."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from sidecar.web import redirects
from sidecar.web.i18n.languages import COOKIE, COOKIE_LASTS_S, NAMES
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.permissions import Role


def routes() -> Blueprint:
    """Return the routes."""
    languages = PageRoutes("languages")

    @languages.post("/language", role=Role.ANYBODY)
    def choose() -> Response:
        reply = redirect(redirects.safe_target(url_for("home.show")), 303)
        asked = request.form.get("language", "")
        if asked in NAMES:
            reply.set_cookie(
                COOKIE,
                asked,
                max_age=COOKIE_LASTS_S,
                path=url_for("home.show"),
                secure=request.is_secure,
                httponly=True,
                samesite="Lax",
            )
        return reply

    return languages.blueprint
