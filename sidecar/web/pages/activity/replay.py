"""`/activity/replay`: tries rules on past plays, and sets what would have served best.

GET  /activity/replay          the form, how far it is, the last result
POST /activity/replay · …/cancel · …/use

A larger file is sent before by a script, in parts; a small one comes with the form.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.domain.replay.replay import FILL, RULES
from sidecar.domain.replay.report import RunReport, explain
from sidecar.domain.replay.yardsticks import CHANCE, LEAST_RECENTLY_USED, MOST_PLAYED
from sidecar.services.activity.replays.views import (
    KeptReplay,
    ReplayRefused,
    ReplayRequest,
    parse_budgets,
)
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.activity.charts import bars, grouped
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.pages.undo import leading_back
from sidecar.web.request.query_params import ITEM_ID, LONGEST_TEXT
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

SHARES = (2, 5, 10, 20)
NAMES = MappingProxyType(
    {
        RULES: translatable("Your rules"),
        FILL: translatable("Your rules, and what is left is filled"),
        MOST_PLAYED: translatable("Most played"),
        LEAST_RECENTLY_USED: translatable("Played last"),
        CHANCE: translatable("Random choice"),
    }
)
SHARE = re.compile(r"[0-9]{1,2}")


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    pages = PageRoutes("replays", url_prefix="/activity/replay")

    @pages.get("", role=Role.SIGNED_IN)
    def show() -> Response:
        return _page(services)

    @pages.post("", role=Role.SIGNED_IN)
    def begin() -> Response:
        try:
            services.replays.begin(person(), _read_form(services))
        except ReplayRefused as refused:
            return _page(services, refused)
        return redirect(url_for("replays.show"), 303)

    @pages.post("/cancel", role=Role.SIGNED_IN)
    def cancel() -> Response:
        services.replays.cancel(person())
        return redirect(url_for("replays.show"), 303)

    @pages.post("/use", role=Role.SIGNED_IN)
    def use() -> Response:
        budget = request.form.get("budget", "")[:LONGEST_TEXT]
        try:
            number = int(budget) if budget.isascii() and budget.isdecimal() else -1
            record = services.replays.use(person(), number)
        except ReplayRefused as refused:
            return _page(services, refused)
        return redirect(leading_back(url_for("replays.show", budget=number), record), 303)

    return pages.blueprint


def _read_form(services: WebServices) -> ReplayRequest:
    form = request.form
    other = form.get("other", "")[:LONGEST_TEXT].strip()
    shares = [f"{one}%" for one in form.getlist("share") if SHARE.fullmatch(one)]
    budgets = parse_budgets([*shares, *([other] if other else [])])
    is_uploaded = form.get("uploaded") == "yes"
    file = request.files.get("history")
    if file is not None and file.filename:
        services.replays.put_part(person(), 0, file.stream.read())
        is_uploaded = True
    return ReplayRequest(
        budgets=budgets,
        device_id=form.get("device", "")[:LONGEST_TEXT] or None,
        is_household=form.get("whose") == "all",
        is_uploaded=is_uploaded,
    )


def _page(services: WebServices, refused: ReplayRefused | None = None) -> Response:
    who = person()
    view = services.replays.view(who)
    kept = view.kept
    asked = request.args.get("budget", "")
    chosen = _choose_budget(kept, asked) if kept else 0
    runs = [one for one in kept.report.runs if one.budget == chosen] if kept else []
    filled = next((one for one in runs if one.name == FILL), None)
    missed = filled.missed_most if filled else ()
    ids = [one.item_id for one in missed if ITEM_ID.fullmatch(one.item_id)]
    devices = [one for one in services.devices.devices(who) if not one.id.startswith("new:")]
    page = render_template(
        "activity/replay.html",
        view=view,
        kept=kept,
        chosen=chosen,
        budgets=_list_budgets(kept),
        runs=runs,
        filled=filled,
        names=NAMES,
        shares=SHARES,
        devices=devices,
        device_id=request.values.get("device", "")[:LONGEST_TEXT],
        known=services.replays.missed_items(who, ids),
        refused=refused,
        explain=explain,
        bars=bars,
        grouped=grouped,
        by_size=_by_size(kept),
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK)


def _list_budgets(kept: KeptReplay | None) -> list[int]:
    return list(dict.fromkeys(one.budget for one in kept.report.runs)) if kept else []


def _choose_budget(kept: KeptReplay, asked: str) -> int:
    budgets = _list_budgets(kept)
    wanted = next((one for one in budgets if str(one) == asked), None)
    return budgets[len(budgets) // 2] if wanted is None and budgets else wanted or 0


def _by_size(kept: KeptReplay | None) -> list[list[RunReport]]:
    """Return the runs of each size, in the order of `NAMES`."""
    if kept is None:
        return []
    return [
        [
            run
            for name in NAMES
            for run in kept.report.runs
            if (run.name, run.budget) == (name, budget)
        ]
        for budget in _list_budgets(kept)
    ]
