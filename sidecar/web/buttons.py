"""The buttons of the downloads page: plain forms that come back to the list as it was shown.

What ends something asks first, on a page of its own. What could not be done is told, on a page
that leads back to the list.
"""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.domain.actions import Action
from sidecar.services.action_desk import ActionsDesk, Order, Outcome, Result, Selection
from sidecar.web.action_bodies import LARGEST_ID
from sidecar.web.asking import Shown, for_page
from sidecar.web.problems import Problem
from sidecar.web.security import person

BUTTONS = frozenset({Action.PAUSE, Action.RESUME, Action.RETRY, Action.CANCEL, Action.DELETE})
FOR_ALL = frozenset({Action.PAUSE, Action.RESUME, Action.RETRY})
ASKED_FIRST = frozenset({Action.CANCEL, Action.DELETE, Action.RETRY})
STATUS = MappingProxyType(
    {Result.NOT_FOUND: HTTPStatus.NOT_FOUND, Result.REFUSED: HTTPStatus.CONFLICT}
)


def routes(desk: ActionsDesk) -> Blueprint:
    """Return the routes."""
    buttons = Blueprint("buttons", __name__, url_prefix="/downloads")

    @buttons.post(f"/<int(max={LARGEST_ID}):download_id>/act")
    def act(download_id: int) -> Response:
        order = Order(
            action=_action(BUTTONS),
            from_zero=request.form.get("from") == "zero",
            keep_part=request.form.get("part") == "keep",
            force=request.form.get("force") == "yes",
            for_everyone=request.form.get("for") == "everyone",
        )
        outcome = desk.act(person(), download_id, order)
        if outcome.result in {Result.DONE, Result.UNCHANGED}:
            return redirect(_back(), 303)
        return _told(outcome)

    @buttons.get(f"/<int(max={LARGEST_ID}):download_id>/ask")
    def ask(download_id: int) -> Response:
        return _ask(desk, download_id)

    @buttons.post("/act")
    def act_on_all() -> Response:
        order, shown = Order(action=_action(FOR_ALL)), for_page(request.form)
        outcomes = desk.act_on_all(person(), Selection(text=shown.text), order)
        refusals = [one for one in outcomes if one.result is Result.REFUSED]
        if refusals and len(refusals) == len(outcomes):
            return _told(refusals[0], of=len(refusals))
        return redirect(_back(), 303)

    return buttons


def _ask(desk: ActionsDesk, download_id: int) -> Response:
    who, action = person(), request.args.get("action", "")
    found = desk.show(who, download_id)
    if found is None or action not in {str(one) for one in ASKED_FIRST}:
        raise Problem(HTTPStatus.NOT_FOUND)
    page = render_template(
        "ask.html",
        action=action,
        download=found,
        others=desk.others(who, download_id),
        shown=for_page(request.args),
        back=_back(for_page(request.args)),
    )
    return make_response(page)


def _action(allowed: frozenset[Action]) -> Action:
    asked = request.form.get("action", "")
    if asked not in {str(one) for one in allowed}:
        raise Problem(HTTPStatus.BAD_REQUEST)
    return Action(asked)


def _back(shown: Shown | None = None) -> str:
    """The list as it was: its arguments are read and written anew, so it leads nowhere else."""
    shown = shown or for_page(request.form)
    page = shown.page if shown.page > 1 else None
    return url_for("pages.downloads", tab=shown.tab.value, q=shown.text or None, page=page)


def _told(outcome: Outcome, *, of: int = 1) -> Response:
    page = render_template("told.html", outcome=outcome, back=_back(), of=of)
    return make_response(page, STATUS.get(outcome.result, HTTPStatus.OK))
