"""`/language`: chooses the language of the pages, kept in a cookie."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from sidecar.web import redirects
from sidecar.web.i18n.languages import COOKIE
from sidecar.web.i18n.sentences import NAMES
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.cookies import A_YEAR_S, set_cookie
from sidecar.web.security.auth import asker
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices


def routes(services: WebServices | None = None) -> Blueprint:
    """Return the routes; with `services`, a person's choice is remembered for them as well."""
    languages = PageRoutes("languages")

    @languages.post("/language", role=Role.ANYBODY)
    def choose() -> Response:
        reply = redirect(redirects.safe_target(url_for("home.show")), 303)
        asked = request.form.get("language", "")
        if asked in NAMES:
            set_cookie(reply, COOKIE, asked, path=url_for("home.show"), lasts_s=A_YEAR_S)
            if services is not None and (who := asker().person) is not None:
                services.client_messages.learn_language(who, asked)
        return reply

    return languages.blueprint
