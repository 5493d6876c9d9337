"""The pages that people read. They work as plain HTML; scripts only spare a reload."""

from __future__ import annotations

import math
from datetime import datetime

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.clock import Clock
from sidecar.domain.downloads import Status
from sidecar.services.desk import Desk, DownloadView
from sidecar.web import presenters, security, standing
from sidecar.web.asking import PAGE_SIZE, STATUSES, Shown, Tab, for_page
from sidecar.web.languages import Languages
from sidecar.web.words import percent


def routes(desk: Desk) -> Blueprint:
    """Return the routes."""
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def home() -> Response:
        return redirect(url_for("pages.downloads"), 303)

    @pages.get("/downloads")
    def downloads() -> str:
        return _downloads(desk)

    return pages


def _downloads(desk: Desk) -> str:
    person, shown = security.person(), for_page(request.args)
    counts = desk.counts(person)
    found = desk.downloads(person, shown.query)
    last = max(1, math.ceil(found.total / PAGE_SIZE))
    if shown.page > last:
        # Rows went while the page was open: show the last page that there is.
        shown = Shown(shown.tab, shown.text, last)
        found = desk.downloads(person, shown.query)
    running = [
        one
        for one in desk.progress()
        if person.is_admin or person.user_id in desk.viewers(one.download_id)
    ]
    return render_template(
        "downloads.html",
        shown=shown,
        tabs=[(tab, sum(counts.get(one, 0) for one in STATUSES[tab])) for tab in Tab],
        found=found,
        last_page=last,
        counts={status.value: counts.get(status, 0) for status in Status},
        total_speed=sum(one.speed for one in running),
        devices=desk.devices(person),
        notices=desk.notices(person),
        can_steer="buttons" in current_app.blueprints,
    )


def give_words(app: Flask, clock: Clock) -> None:
    """Teach the templates how sentences, numbers, times and states are said."""
    languages = Languages()
    languages.teach(app)

    def _standing(view: DownloadView) -> standing.Standing:
        return standing.standing(view, clock.now())

    def _ago(at: datetime) -> str:
        return languages.words().ago(at, clock.now())

    def _ahead(at: datetime) -> str:
        return languages.words().ahead(at, clock.now())

    app.jinja_env.filters |= {
        "ago": _ago,
        "ahead": _ahead,
        "moment": presenters.moment,
        "percent": percent,
        "reason_icon": standing.reason_icon,
        "room": standing.room,
        "seconds": lambda amount: languages.words().seconds(amount),
        "size": lambda octets: languages.words().size(octets),
        "speed": lambda octets: languages.words().speed(octets),
        "standing": _standing,
        "type_icon": standing.type_icon,
    }

    def _in_future(at: datetime) -> bool:
        return at > clock.now()

    app.jinja_env.tests |= {"in_future": _in_future}
    # Not every page is there in every application: none may be linked in vain.
    app.jinja_env.globals |= {"asker": security.asker, "has_page": app.view_functions.__contains__}
