"""`/api/v1/downloads`: what people do with downloads, for programs.

A wish that was fulfilled already answers 200 like one that is fulfilled now: a second click is no
mistake. What cannot be done in this state answers 409 with a code, what is not there or not
theirs 404.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, Response, jsonify

from sidecar.domain.downloads.actions import Action
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.actions import DownloadActions
from sidecar.services.downloads.commands import (
    ActionResult,
    AddedItem,
    AddResult,
    DownloadCommand,
    ResultKind,
    Selection,
)
from sidecar.services.downloads.undo import UndoService
from sidecar.web.api import download_bodies, presenters
from sidecar.web.api import undo as undo_words
from sidecar.web.api.download_bodies import LARGEST_ID, Bulk, From
from sidecar.web.request import json_body
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices

ONE = f"/downloads/<int(max={LARGEST_ID}):download_id>"
MOST_SHOWN = 100


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk, undoing = services.actions, services.undo
    actions = Blueprint("actions", __name__, url_prefix="/api/v1")

    @actions.post("/downloads")
    def add() -> tuple[Response, int]:
        return _add(desk, json_body.read(download_bodies.Add))

    @actions.post("/downloads/bulk")
    def bulk() -> Response:
        return _bulk(desk, undoing, json_body.read(download_bodies.Many))

    _steering(actions, desk, undoing)
    _ordering(actions, desk, undoing)
    return actions


def _steering(actions: Blueprint, desk: DownloadActions, undoing: UndoService) -> None:
    @actions.post(f"{ONE}/pause")
    def pause(download_id: int) -> Response:
        json_body.read_if_any(download_bodies.Nothing)
        return _act(desk, undoing, download_id, DownloadCommand(action=Action.PAUSE))

    @actions.post(f"{ONE}/resume")
    def resume(download_id: int) -> Response:
        json_body.read_if_any(download_bodies.Nothing)
        return _act(desk, undoing, download_id, DownloadCommand(action=Action.RESUME))

    @actions.post(f"{ONE}/retry")
    def retry(download_id: int) -> Response:
        said = json_body.read_if_any(download_bodies.Retry)
        from_zero = said.start is From.ZERO
        order = DownloadCommand(action=Action.RETRY, from_zero=from_zero, force=said.force)
        return _act(desk, undoing, download_id, order)

    @actions.post(f"{ONE}/accept")
    def accept(download_id: int) -> Response:
        json_body.read_if_any(download_bodies.Nothing)
        return _act(desk, undoing, download_id, DownloadCommand(action=Action.ACCEPT))

    @actions.post(f"{ONE}/cancel")
    def cancel(download_id: int) -> Response:
        said = json_body.read_if_any(download_bodies.Cancel)
        order = DownloadCommand(
            action=Action.CANCEL, keep_part=said.keep_part, for_everyone=said.for_everyone
        )
        return _act(desk, undoing, download_id, order)

    @actions.delete(ONE)
    def delete(download_id: int) -> Response:
        said = json_body.read_if_any(download_bodies.Delete)
        order = DownloadCommand(action=Action.DELETE, for_everyone=said.for_everyone)
        return _act(desk, undoing, download_id, order)


def _ordering(actions: Blueprint, desk: DownloadActions, undoing: UndoService) -> None:
    @actions.post(f"{ONE}/prioritise")
    def prioritise(download_id: int) -> Response:
        said = json_body.read(download_bodies.Prioritise)
        return _act(
            desk,
            undoing,
            download_id,
            DownloadCommand(action=Action.PRIORITISE, priority=said.priority),
        )

    @actions.post(f"{ONE}/top")
    def top(download_id: int) -> Response:
        json_body.read_if_any(download_bodies.Nothing)
        return _act(desk, undoing, download_id, DownloadCommand(action=Action.TOP))

    @actions.post(f"{ONE}/move")
    def move(download_id: int) -> Response:
        said = json_body.read(download_bodies.Move)
        return _act(
            desk, undoing, download_id, DownloadCommand(action=Action.MOVE, before=said.before or 0)
        )


def _act(
    desk: DownloadActions, undoing: UndoService, download_id: int, order: DownloadCommand
) -> Response:
    who = person()
    _check_admin(who, asked=order.force or order.for_everyone)
    outcome = desk.act(who, download_id, order)
    match outcome.result:
        case ResultKind.NOT_FOUND:
            raise ApiError(HTTPStatus.NOT_FOUND)
        case ResultKind.REFUSED:
            raise ApiError(HTTPStatus.CONFLICT, f"{outcome.text}.", facts=_facts(outcome))
        case _:
            view = desk.show(who, download_id)
            told = presenters.download(view) if view else {"id": download_id}
            undo = undo_words.told(undoing.remember(who, order.action, [outcome]))
            return jsonify(
                {**told, "result": outcome.result.value, "message": outcome.text, "undo": undo}
            )


def _add(desk: DownloadActions, said: download_bodies.Add) -> tuple[Response, int]:
    who = person()
    device = said.device_id or said.device
    additions = desk.add(who, said.items, device=device, priority=said.priority)
    results = {one.result for one in additions}
    if results <= {AddResult.REFUSED, AddResult.NOT_FOUND}:
        first = additions[0]
        unknown = results == {AddResult.NOT_FOUND}
        status = HTTPStatus.NOT_FOUND if unknown else HTTPStatus.CONFLICT
        raise ApiError(status, f"{first.text}.", facts={"code": first.code})
    told = _queue(desk, who, additions) | {"results": [_addition(one) for one in additions]}
    status = HTTPStatus.CREATED if AddResult.QUEUED in results else HTTPStatus.OK
    return jsonify(told), status


def _queue(desk: DownloadActions, who: Person, additions: Sequence[AddedItem]) -> dict[str, object]:
    ids = list(dict.fromkeys(ref.id for one in additions for ref in one.downloads))
    views = [desk.show(who, one) for one in ids[:MOST_SHOWN]]
    shown = [presenters.download(one) for one in views if one is not None]
    return {"items": shown, "total": len(ids), "page": 1, "page_size": MOST_SHOWN}


def _addition(one: AddedItem) -> dict[str, object]:
    return {
        "item_id": one.item_id,
        "title": one.title,
        "result": one.result.value,
        "message": one.text,
        "code": one.code,
        "downloads": [
            {"id": ref.id, "status": ref.status.value, "position": ref.position}
            for ref in one.downloads
        ],
    }


def _bulk(desk: DownloadActions, undoing: UndoService, said: download_bodies.Many) -> Response:
    who = person()
    named_owners = said.filter is not None and bool(said.filter.owners)
    _check_admin(who, asked=said.force or named_owners)
    order = DownloadCommand(
        action=Action.LET_GO if said.action is Bulk.CLEAR_COMPLETED else Action(said.action.value),
        from_zero=said.start is From.ZERO,
        keep_part=said.keep_part,
        priority=said.priority or 0,
        force=said.force,
    )
    if said.filter is None:
        outcomes = desk.act_on(who, said.ids or (), order)
    else:
        outcomes = desk.act_on_all(who, _selection(said.filter), order)
    counts = Counter(one.result.value for one in outcomes)
    told = presenters.whole([_outcome(one) for one in outcomes])
    undo = undo_words.told(undoing.remember(who, order.action, outcomes))
    told |= {"counts": {one.value: counts[one.value] for one in ResultKind}, "undo": undo}
    return jsonify(told)


def _selection(said: download_bodies.Filter) -> Selection:
    return Selection(
        statuses=frozenset(said.status),
        device_id=said.device_id,
        owners=said.owners,
        text=said.q,
        item_types=frozenset(said.type),
    )


def _outcome(one: ActionResult) -> dict[str, object]:
    told = {"id": one.download_id, "result": one.result.value, "message": one.text}
    return told | (dict(_facts(one)) if one.result is ResultKind.REFUSED else {})


def _facts(outcome: ActionResult) -> dict[str, object]:
    until = {"retry_next_at": presenters.moment(outcome.until)} if outcome.until else {}
    return {"code": outcome.code, **until}


def _check_admin(who: Person, *, asked: bool) -> None:
    if asked and not who.is_admin:
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "Only an admin may force this, do it for everyone or choose by owner.",
            facts={"code": "admins-only"},
        )
