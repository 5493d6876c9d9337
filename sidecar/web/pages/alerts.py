"""`/alerts`: what is wrong or waits for an answer, as the fragment that is part of every page.

    problems, notices ─▶ services.notice_board ─▶ this fragment ─▶ layout: area, badge, title

The layout renders it, so it needs no script; scripts fetch it again when the live connection
reports a change. `POST /alerts/try` asks Jellyfin at once whether it is back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from flask import Blueprint, Flask, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from sidecar.process.threads import attempt
from sidecar.services.accounts.person import Person
from sidecar.services.notices import Notice, OpenQuestion
from sidecar.web import redirects
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security import auth
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

# A device that is not there is nothing to do about, and its tile says so.
EXPECTED = frozenset({"missing", "unplugged"})


@dataclass(frozen=True, slots=True)
class Alerts:
    """What one person has to know or to answer.

    Attributes:
        failed: How many downloads failed.
    """

    notices: tuple[Notice, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
    failed: int = 0

    @property
    def number(self) -> int:
        """How many there are; all failed downloads are one."""
        return len(self.notices) + len(self.questions) + bool(self.failed)


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    alerts = PageRoutes("alerts")

    @alerts.get("/alerts", role=Role.SIGNED_IN)
    def show() -> str:
        return render_template("partials/alerts.html", back=redirects.wanted())

    @alerts.post("/alerts/try", role=Role.SIGNED_IN)
    def try_now() -> Response:
        services.notices.try_now()
        return redirect(redirects.safe_target(url_for("home.show")), 303)

    return alerts.blueprint


def teach(app: Flask, services: WebServices) -> None:
    """Add `alerts()`, those for the current person, to the templates."""

    def alerts() -> Alerts:
        person = auth.asker().person
        if person is None:
            return Alerts()
        if "alerts" not in g:
            # They are part of every page, including the error pages, so this must not raise.
            collect = partial(_alerts, services, person)
            g.alerts = attempt(collect, "collecting the alerts", Alerts)
        found: Alerts = g.alerts
        return found

    app.jinja_env.globals["alerts"] = alerts


def _alerts(services: WebServices, person: Person) -> Alerts:
    questions = tuple(services.notices.questions(person))
    asked = {one.text for one in questions}
    notices = [
        one
        for one in services.notices.notices(person)
        if one.level != "info" and one.code not in EXPECTED and one.text not in asked
    ]
    return Alerts(tuple(notices), questions, services.downloads.failed(person))
