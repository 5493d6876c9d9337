"""The actions of the downloads page: plain forms that lead back to the list as it was shown.

Destructive actions and those on many downloads are confirmed first, on a separate page. A refusal
is shown on a page with a link back to the list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from http import HTTPStatus
from types import MappingProxyType

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.domain.downloads.actions import Action
from sidecar.services.downloads.commands import (
    ActionResult,
    DownloadCommand,
    ResultKind,
    Selection,
)
from sidecar.services.downloads.undo import UndoService
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.downloads.view import DownloadsViewState, Tab, for_page
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.pages.undo import leading_back
from sidecar.web.request.errors import ApiError
from sidecar.web.request.query_params import LARGEST_ID
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

FOR_ONE = frozenset(
    {Action.PAUSE, Action.RESUME, Action.RETRY, Action.CANCEL, Action.DELETE, Action.TOP}
)
# Not offered for many at once: whether a file is complete must be judged one by one.
ALONE = frozenset({Action.ACCEPT})
FOR_ALL = frozenset({Action.PAUSE, Action.RESUME, Action.RETRY, Action.LET_GO})
ASKED_FIRST = frozenset({Action.CANCEL, Action.DELETE, Action.RETRY})
ENDING = frozenset({Action.CANCEL, Action.DELETE})
MOST_CHOSEN = 1000
# Digits of a speed limit.
LONGEST_LIMIT = 12
# Digits of an id.
LONGEST_ID = 20
MOST_NAMED = 5
STATUS = MappingProxyType({ResultKind.REFUSED: HTTPStatus.CONFLICT})


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    buttons = PageRoutes("buttons", url_prefix="/downloads")

    @buttons.post("/<int:download_id>/act", role=Role.SIGNED_IN)
    def act(download_id: int) -> Response:
        order = DownloadCommand(
            action=_action(FOR_ONE | ALONE),
            from_zero=request.form.get("from") == "zero",
            keep_part=request.form.get("part") == "keep",
            force=request.args.get("force") == "yes",
            for_everyone=request.form.get("for") == "everyone",
        )
        outcome = services.actions.act(person(), download_id, order)
        if outcome.result in {ResultKind.DONE, ResultKind.ASKED, ResultKind.UNCHANGED}:
            return _led_back(services.undo, order.action, [outcome])
        return _told(outcome)

    @buttons.get("/<int:download_id>/ask", role=Role.SIGNED_IN)
    def ask(download_id: int) -> Response:
        return _ask(services, download_id)

    @buttons.post("/act", role=Role.SIGNED_IN)
    def act_on_all() -> Response:
        return _act_on_all(services)

    @buttons.post("/transfers", role=Role.ADMIN)
    def steer_transfers() -> Response:
        return _steer(services)

    @buttons.post("/chosen", role=Role.SIGNED_IN)
    def act_on_chosen() -> Response:
        return _act_on_chosen(services)

    return buttons.blueprint


def _act_on_all(services: WebServices) -> Response:
    action, who, shown = _action(FOR_ALL), person(), for_page(request.form)
    if shown.tab is Tab.MISSING:
        # Missing files have their own question; no other action applies to all of them.
        raise ApiError(HTTPStatus.BAD_REQUEST)
    which = _selection(shown)
    ids = services.actions.fitting(who, which, action)
    if _must_ask(ids):
        return _ask_of_many(services, action, ids, url_for("buttons.act_on_all"))
    outcomes = services.actions.act_on_all(who, which, DownloadCommand(action=action))
    return _many(services.undo, action, outcomes)


def _must_ask(affected: Collection[object]) -> bool:
    """Whether an action must be confirmed first, because it affects several things."""
    return len(affected) > 1 and request.form.get("sure") != "yes"


def _ask_of_many(
    services: WebServices,
    action: Action,
    ids: Sequence[int],
    act_at: str,
    *,
    chosen: bool = False,
    matching: bool = False,
) -> Response:
    who = person()
    named = services.downloads.some(who, ids[:MOST_NAMED])
    page = render_template(
        "downloads/confirm_many.html",
        action=action.value,
        total=len(ids),
        named=named,
        has_copies=len({one.item_id for one in named}) < len(named),
        chosen=ids if chosen else (),
        matching=matching,
        share=services.actions.shares(who, ids),
        act_at=act_at,
        shown=for_page(request.form),
        back=_back(),
    )
    return make_response(page)


def _steer(services: WebServices) -> Response:
    """Pause or resume automatic downloads, or set the speed limit."""
    automatic, limit = request.form.get("automatic", ""), request.form.get("limit", "")
    if automatic in {"on", "off"}:
        services.transfers.pause(paused=automatic == "off")
        done = f"automatic-{automatic}"
    elif limit == "usual":
        services.transfers.as_usual()
        done = "limit"
    elif limit == "none" or (limit.isascii() and limit.isdecimal() and len(limit) <= LONGEST_LIMIT):
        services.transfers.limit(int(limit) if limit.isdecimal() and int(limit) else None)
        done = "limit"
    else:
        raise ApiError(HTTPStatus.BAD_REQUEST)
    record = services.undo.remember(person(), done, ())
    return redirect(leading_back(_back(), record), 303)


def _act_on_matching(services: WebServices) -> Response:
    """Act on all that a list has, on its other pages too."""
    action, who, shown = _action(FOR_ONE), person(), for_page(request.form)
    if shown.tab is Tab.MISSING:
        raise ApiError(HTTPStatus.BAD_REQUEST)
    which = _selection(shown)
    ids = services.actions.possible(who, which, action)
    if request.form.get("sure") != "yes":
        act_at = url_for("buttons.act_on_chosen")
        return _ask_of_many(services, action, ids, act_at, matching=True)
    in_turn = ids[::-1] if action is Action.TOP else ids
    outcomes = services.actions.act_on(who, in_turn, DownloadCommand(action=action))
    return _many(services.undo, action, outcomes)


def _act_on_chosen(services: WebServices) -> Response:
    if request.form.get("matching") == "yes":
        return _act_on_matching(services)
    action, who = _action(FOR_ONE), person()
    ids = _chosen_ids()
    if not ids:
        raise ApiError(HTTPStatus.BAD_REQUEST, translatable("Nothing was chosen."))
    found = services.downloads.some(who, ids[:MOST_CHOSEN])
    ids = [one.id for one in found]
    is_sure = request.form.get("sure") == "yes"
    # The copies of a title are one thing to a person.
    if _must_ask({one.item_id for one in found}) or (action in ENDING and not is_sure):
        act_at = url_for("buttons.act_on_chosen")
        return _ask_of_many(services, action, ids, act_at, chosen=True)
    # Each is moved to the top in turn, so the last one ends up first: reverse the order.
    in_turn = ids[::-1] if action is Action.TOP else ids
    outcomes = services.actions.act_on(who, in_turn, DownloadCommand(action=action))
    return _many(services.undo, action, outcomes)


def _chosen_ids() -> list[int]:
    """Return the ids that were sent: of a row with several downloads with commas between."""
    texts = ",".join(request.values.getlist("id")).split(",")
    numbers = [
        int(one) for one in texts if one.isascii() and one.isdecimal() and len(one) < LONGEST_ID
    ]
    return [one for one in numbers if 0 < one <= LARGEST_ID]


def _selection(shown: DownloadsViewState) -> Selection:
    asked = shown.query
    return Selection(
        statuses=asked.statuses,
        device_id=asked.device_id,
        owners=asked.owners if person().is_admin else (),
        text=asked.text,
        item_types=asked.item_types,
    )


def _many(undoing: UndoService, action: Action, outcomes: Sequence[ActionResult]) -> Response:
    refusals = [one for one in outcomes if one.result is ResultKind.REFUSED]
    if refusals and len(refusals) == len(outcomes):
        return _told(refusals[0], of=len(refusals))
    return _led_back(undoing, action, outcomes)


def _led_back(undoing: UndoService, action: Action, outcomes: Sequence[ActionResult]) -> Response:
    record = undoing.remember(person(), action, outcomes)
    return redirect(leading_back(_back(), record), 303)


def _ask(services: WebServices, download_id: int) -> Response:
    who, action = person(), request.args.get("action", "")
    found = services.downloads.download(who, download_id)
    if action not in {str(one) for one in ASKED_FIRST}:
        raise ApiError(HTTPStatus.NOT_FOUND)
    page = render_template(
        "downloads/confirm.html",
        action=action,
        download=found,
        others=services.actions.others(who, download_id),
        shown=for_page(request.args),
        back=_back(for_page(request.args)),
    )
    return make_response(page)


def _action(allowed: frozenset[Action]) -> Action:
    asked = request.form.get("action", "")
    if asked not in {str(one) for one in allowed}:
        raise ApiError(HTTPStatus.BAD_REQUEST)
    return Action(asked)


def _back(shown: DownloadsViewState | None = None) -> str:
    """Return the URL of the list as it was; built from parsed arguments, so always a local one."""
    shown = shown or for_page(request.form)
    return url_for("pages.downloads", **shown.args)


def _told(outcome: ActionResult, *, of: int = 1) -> Response:
    page = render_template("downloads/result.html", outcome=outcome, back=_back(), of=of)
    return make_response(page, STATUS.get(outcome.result, HTTPStatus.OK))
