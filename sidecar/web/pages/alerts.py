"""`/alerts`: what is wrong or waits for an answer, as the fragment that is part of every page.

    problems, notices ─▶ services.notice_board ─▶ this fragment ─▶ layout: area, badge, title

The layout renders it, so it needs no script; scripts fetch it again when the live connection
reports a change. `POST /alerts/try` asks Jellyfin at once whether it is back, `POST /alerts/fetch`
fetches what the network rule holds back, and
`POST /alerts/hidden` says what becomes of files whose items an account may not see any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from flask import Blueprint, Flask, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.device.drives import Drive
from sidecar.process.threads import attempt
from sidecar.services.accounts.person import Person
from sidecar.services.devices.editor import MovedDevice
from sidecar.services.devices.elsewhere import GONE
from sidecar.services.devices.orders import OrderView
from sidecar.services.health.notices import Notice, OpenQuestion
from sidecar.web import redirects
from sidecar.web.actions import hidden_answered
from sidecar.web.pages.orders import pages_by_kind
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.pages.undo import leading_back
from sidecar.web.request.errors import ApiError
from sidecar.web.security import auth
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

# A device that is not there is nothing to do about, and its tile says so.
EXPECTED = frozenset({"missing", "unplugged", "reconnecting", "looking"})
# These pages ask which drive is meant, or are steps of the first set-up that an offer would end.
ASKING = ("/devices/add", "/settings/first-rules")


@dataclass(frozen=True, slots=True)
class Alerts:
    """What one person has to know or to answer.

    Attributes:
        failed: How many downloads failed.
        drives: What is plugged in and could become a device; for those who may add one.
        moved: Devices that were plugged in at another place; for the same.
        orders: What they asked other machines to do. These are no alerts.
        pages: The page that shows what a machine found, by the kind of the order.
    """

    notices: tuple[Notice, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
    failed: int = 0
    drives: tuple[Drive, ...] = ()
    moved: tuple[MovedDevice, ...] = ()
    orders: tuple[OrderView, ...] = ()
    pages: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """How many there are; all failed downloads are one."""
        return (
            len(self.notices)
            + len(self.questions)
            + bool(self.failed)
            + len(self.drives + self.moved)
        )

    @property
    def first(self) -> str:
        """The text of the first of them; empty where only numbers are to be told."""
        texts = [one.text for one in self.notices] + [one.text for one in self.questions]
        return next(iter(texts), "")


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

    @alerts.post("/alerts/fetch", role=Role.ADMIN)
    def fetch_now() -> Response:
        services.transfers.try_now()
        return redirect(redirects.safe_target(url_for("home.show")), 303)

    @alerts.post("/alerts/hidden", role=Role.SIGNED_IN)
    def hidden() -> Response:
        answer = request.form.get("answer", "")
        if answer not in {"keep", "let_go"}:
            raise ApiError(HTTPStatus.BAD_REQUEST)
        account, library = (request.form.get(one, "")[:200] for one in ("account", "library"))
        record = hidden_answered(services, account, library, answer)
        return redirect(leading_back(redirects.safe_target(url_for("home.show")), record), 303)

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
    offers = auth.is_owner() and not (redirects.wanted() or request.path).startswith(ASKING)
    drives, moved = services.device_editor.plugged_in() if offers else ((), ())
    # Who is asked whether to use a device where it is now is not told to plug it in.
    found_again = {one.device_id for one in moved}
    notices = [one for one in notices if one.code not in GONE or one.device_id not in found_again]
    notices.sort(key=lambda one: one.level != "error")
    orders = tuple(services.orders.of(person))
    pages = pages_by_kind(services.orders.kinds) if orders else {}
    failed = services.downloads.failed(person)
    return Alerts(tuple(notices), questions, failed, tuple(drives), tuple(moved), orders, pages)
