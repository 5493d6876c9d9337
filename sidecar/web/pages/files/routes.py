"""`/offline`: browsing, playing and keeping the files on the devices, without Jellyfin.

GET  /offline                       albums, series and films as tiles, or files as a list
GET  /offline/albums/ID · /series   one album or series with its files in order
GET  /offline/next                  what would be removed first
GET  /offline/ID/ask                the confirmation of a destructive action
POST /offline/ID/act                pin · let go · delete · exclude from a rule

Actions lead back to the page that they were started from.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.domain.downloads.actions import Action
from sidecar.domain.files.tiles import SERIES
from sidecar.domain.rules.registry import RULE_OF
from sidecar.domain.space.eviction import explain_eviction
from sidecar.domain.undo import Reversal
from sidecar.errors import NotVisible
from sidecar.services.downloads.commands import (
    ActionResult,
    DownloadCommand,
    ResultKind,
)
from sidecar.services.downloads.undo import UndoRecord
from sidecar.services.files.browse import FileView
from sidecar.web.pages.downloads.actions import STATUS
from sidecar.web.pages.downloads.routes import KINDS
from sidecar.web.pages.files.view import (
    LONGEST_KEY,
    NEXT,
    ROWS_ON_A_PAGE,
    FilesViewState,
    Look,
    for_page,
)
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.pages.undo import leading_back
from sidecar.web.request.errors import ApiError
from sidecar.web.request.query_params import check_item_id
from sidecar.web.routing import ITEM
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

FILE = "/<int:download_id>"
MOST_LEAVERS = 20


class Press(StrEnum):
    """An action on a file."""

    PIN = "pin"
    LET_GO = "let_go"
    DELETE = "delete"
    LEAVE_OUT = "leave_out"


ASKED_FIRST = frozenset({Press.DELETE, Press.LEAVE_OUT})


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    page = PageRoutes("offline_page", url_prefix="/offline")

    @page.get("", role=Role.SIGNED_IN)
    def show() -> str:
        shown = for_page(request.args, at="")
        return _tiles(services, shown) if shown.look is Look.TILES else _files(services, shown)

    @page.get(f"/albums/{ITEM}", role=Role.SIGNED_IN)
    def album(item_id: str) -> str:
        return _tile(services, for_page(request.args, at=check_item_id(item_id)))

    @page.get("/series", role=Role.SIGNED_IN)
    def series() -> str:
        name = request.args.get("name", "")[:LONGEST_KEY]
        return _tile(services, for_page(request.args, at=f"{SERIES}{name}"))

    @page.get("/next", role=Role.SIGNED_IN)
    def leaving() -> str:
        return _leaving(services)

    @page.get(f"{FILE}/ask", role=Role.SIGNED_IN)
    def ask(download_id: int) -> Response:
        return _ask(services, download_id)

    @page.post(f"{FILE}/act", role=Role.SIGNED_IN)
    def act(download_id: int) -> Response:
        return _act(services, download_id)

    return page.blueprint


def _tiles(services: WebServices, shown: FilesViewState) -> str:
    found = services.files.tiles(person(), shown.wanted)
    if shown.page > shown.last(found.total):
        # The list has become shorter while the page was open: show its last page.
        shown = shown.on(shown.last(found.total))
        found = services.files.tiles(person(), shown.wanted)
    return _page(services, shown, found.total, found=found, tiles=found.total, files=found.files)


def _files(services: WebServices, shown: FilesViewState) -> str:
    found = services.files.files(person(), shown.wanted)
    if shown.page > shown.last(found.total):
        shown = shown.on(shown.last(found.total))
        found = services.files.files(person(), shown.wanted)
    return _page(services, shown, found.total, found=found, tiles=found.tiles, files=found.total)


def _tile(services: WebServices, shown: FilesViewState) -> str:
    tile, found = services.files.tile(person(), shown.at, shown.wanted)
    if shown.part > shown.last(found.total):
        shown = shown.on(shown.last(found.total))
        tile, found = services.files.tile(person(), shown.at, shown.wanted)
    return _page(services, shown, found.total, found=found, tile=tile)


def _page(services: WebServices, shown: FilesViewState, total: int, **further: object) -> str:
    devices = services.devices.devices(person())
    return render_template(
        "files/files.html",
        **further,
        shown=shown,
        last_page=shown.last(total),
        page_number=shown.part if shown.at else shown.page,
        address=address,
        kinds=KINDS,
        looks=Look,
        rows_on_a_page=ROWS_ON_A_PAGE,
        devices=devices,
        device_choices=[(one.id, one.name) for one in devices],
        owners=services.downloads.owners(person()),
    )


def _leaving(services: WebServices) -> str:
    return render_template(
        "files/next_to_go.html",
        shown=for_page(request.args, at=NEXT),
        devices=services.eviction_preview.all(person(), MOST_LEAVERS),
        explain=explain_eviction,
        address=address,
    )


def _ask(services: WebServices, download_id: int) -> Response:
    who, shown = person(), for_page(request.args)
    file, action = services.files.file(who, download_id), request.args.get("action", "")
    if action not in ASKED_FIRST or (action == Press.LEAVE_OUT and not file.holdings):
        raise NotVisible
    page = render_template(
        "downloads/confirm.html" if action == Press.DELETE else "files/leave_out.html",
        action=action,
        download=file.view,
        file=file,
        others=services.actions.others(who, download_id),
        rules=RULE_OF,
        shown=shown,
        act_at=url_for("offline_page.act", download_id=download_id),
        back=address(shown),
    )
    return make_response(page)


def _act(services: WebServices, download_id: int) -> Response:
    who, shown, press = person(), for_page(request.form), _pressed()
    file = services.files.file(who, download_id)
    outcome: ActionResult | None = None
    record: UndoRecord | None = None
    match press:
        case Press.PIN:
            services.files.keep(who, download_id)
        case Press.LET_GO:
            reversal = services.files.let_go(who, download_id)
            record = services.undo.remember_one(who, "let_go", reversal, len(reversal.holds))
        case Press.LEAVE_OUT:
            reversal = _leave_out(services, file)
            record = services.undo.remember_one(who, "exclude", reversal, 1)
            if "delete" in request.form:
                outcome = services.actions.act(
                    who, download_id, DownloadCommand(action=Action.DELETE)
                )
        case Press.DELETE:
            everyone = request.form.get("for") == "everyone"
            order = DownloadCommand(action=Action.DELETE, for_everyone=everyone)
            outcome = services.actions.act(who, download_id, order)
    led_back = {ResultKind.DONE, ResultKind.ASKED, ResultKind.UNCHANGED}
    if outcome is not None and outcome.result not in led_back:
        return _told(outcome, shown)
    if outcome is not None and record is None:
        record = services.undo.remember(who, Action.DELETE, [outcome])
    return redirect(leading_back(_back(services, shown), record), 303)


def _leave_out(services: WebServices, file: FileView) -> Reversal:
    """Exclude the chosen item from the chosen rule; refuse a choice that the page did not offer."""
    rule, _, source = request.form.get("choice", "").partition(" ")
    offered = {
        (one.rule, place) for one in file.holdings for place in (file.view.item_id, one.source_id)
    }
    if (rule, source) not in offered:
        raise ApiError(HTTPStatus.BAD_REQUEST)
    return services.preferences.exclude(person(), file.view.device_id, rule, source)


def _pressed() -> Press:
    asked = request.form.get("action", "")
    if asked not in set(Press):
        raise ApiError(HTTPStatus.BAD_REQUEST)
    return Press(asked)


def address(shown: FilesViewState) -> str:
    """Return the URL of a view state; built from parsed arguments, so always a local one."""
    if shown.at == NEXT:
        return url_for("offline_page.leaving", **shown.args)
    if shown.at.startswith(SERIES):
        name = shown.at.removeprefix(SERIES)
        return url_for("offline_page.series", name=name, **shown.args)
    if shown.at:
        return url_for("offline_page.album", item_id=check_item_id(shown.at), **shown.args)
    return url_for("offline_page.show", **shown.args)


def _back(services: WebServices, shown: FilesViewState) -> str:
    """Return the URL of the page as it was, or of the list if its album has no file left."""
    if shown.at and shown.at != NEXT:
        try:
            services.files.tile(person(), shown.at, shown.wanted)
        except NotVisible:
            return address(shown.inside(""))
    return address(shown)


def _told(outcome: ActionResult, shown: FilesViewState) -> Response:
    page = render_template(
        "downloads/result.html",
        outcome=outcome,
        back=address(shown),
        of=1,
        leads_back=True,
    )
    return make_response(page, STATUS.get(outcome.result, HTTPStatus.OK))
