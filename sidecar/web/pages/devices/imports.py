"""`/devices/ID/found`, `…/heard`, `…/lists`: files, plays and playlists that a device has.

    found   files that were on the device before, to be adopted
    heard   plays in a music player's logs, to be reported to Jellyfin
    lists   playlists that were made or changed there, to be taken home

GET requests only show a preview.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from sidecar.errors import DeviceError, SidecarError
from sidecar.services.devices.elsewhere import ELSEWHERE, SILENT
from sidecar.services.files.adoption.adopt import AdoptionInUse, AdoptionService
from sidecar.services.players.device_playlists.views import ListChanged, ListDecision, ListInUse
from sidecar.services.players.player_logs.state_views import NotTheListener
from sidecar.services.players.player_logs.views import LogInUse
from sidecar.web.actions import LONGEST_PATH, MOST_MATCHES
from sidecar.web.api.devices.orders import Look
from sidecar.web.i18n.numbers import translatable
from sidecar.web.pages.orders import PAGES
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

ONE = "/<string(maxlength=80):device_id>"
LONGEST_ID = 16
MOST_SHOWN = 100


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    orders = services.orders
    returns = PageRoutes("returns", url_prefix="/devices")

    @returns.get(f"{ONE}/found", role=Role.SIGNED_IN)
    def found(device_id: str) -> str:
        offer = orders.look(orders.kinds.look_for_files, person(), device_id)
        return render_template("imports/found_files.html", offer=offer, most=MOST_SHOWN)

    @returns.post(f"{ONE}/found", role=Role.MANAGER)
    def adopt(device_id: str) -> str:
        return _adopt(services, device_id)

    @returns.get(f"{ONE}/heard", role=Role.SIGNED_IN)
    def heard(device_id: str) -> str:
        log = orders.look(orders.kinds.look_at_log, person(), device_id)
        return render_template("imports/player_logs.html", log=log, most=MOST_SHOWN)

    @returns.post(f"{ONE}/heard", role=Role.SIGNED_IN)
    def take(device_id: str) -> str:
        done = orders.press(orders.kinds.take_plays, person(), device_id)
        return render_template(
            "imports/plays_imported.html",
            done=done,
            device_id=device_id,
            most=MOST_SHOWN,
        )

    _list_routes(returns, services)
    for trouble in (
        AdoptionInUse,
        LogInUse,
        ListInUse,
        ListChanged,
        NotTheListener,
    ):
        returns.blueprint.register_error_handler(trouble, not_now)
    returns.blueprint.register_error_handler(DeviceError, not_there)
    return returns.blueprint


def _list_routes(returns: PageRoutes, services: WebServices) -> None:
    orders = services.orders

    @returns.get(f"{ONE}/lists", role=Role.SIGNED_IN)
    def made_there(device_id: str) -> str:
        found = orders.look(orders.kinds.look_at_lists, person(), device_id)
        return render_template("imports/device_lists.html", found=found, done=None)

    @returns.post(f"{ONE}/lists", role=Role.SIGNED_IN)
    def answer_list(device_id: str) -> str:
        form = request.form
        services.playlist_returns.check_may_see(person(), device_id)
        try:
            answer = ListDecision(form.get("answer", ""))
        except ValueError:
            raise ApiError(HTTPStatus.BAD_REQUEST) from None
        path, mark = form.get("path", "")[:LONGEST_PATH], form.get("mark", "")[:LONGEST_ID]
        done = orders.press(orders.kinds.answer_list, person(), device_id, path, mark, answer)
        found = orders.look(orders.kinds.look_at_lists, person(), device_id)
        return render_template("imports/device_lists.html", found=found, done=done)

    @returns.post(f"{ONE}/lists/undo", role=Role.SIGNED_IN)
    def undo_list(device_id: str) -> str:
        path = request.form.get("path", "")[:LONGEST_PATH]
        done = orders.press(orders.kinds.undo_list, person(), device_id, path)
        found = orders.look(orders.kinds.look_at_lists, person(), device_id)
        return render_template("imports/device_lists.html", found=found, done=done)


def _adopt(services: WebServices, device_id: str) -> str:
    adoption, orders = services.adoption, services.orders
    chosen = [one for one in request.form.getlist("match") if len(one) == LONGEST_ID]
    ids = None if "all" in request.form else chosen[:MOST_MATCHES]
    if ids is not None and not ids:
        adoption.check_may_adopt(person(), device_id)
        raise ApiError(HTTPStatus.BAD_REQUEST, translatable("Nothing was chosen."))
    if _must_ask(ids):
        return _ask_adopt(adoption, device_id, ids)
    done = orders.press(orders.kinds.adopt, person(), device_id, ids)
    return render_template(
        "imports/files_adopted.html",
        done=done,
        device_id=device_id,
        most=MOST_SHOWN,
    )


def _must_ask(ids: Sequence[str] | None) -> bool:
    return (ids is None or len(ids) > 1) and request.form.get("sure") != "yes"


def _ask_adopt(adoption: AdoptionService, device_id: str, ids: Sequence[str] | None) -> str:
    """Show the confirmation before several files are adopted at once."""
    adoption.check_may_adopt(person(), device_id)
    told = request.form.get("total", default=0, type=int)
    return render_template(
        "imports/confirm_adopt.html",
        device_id=device_id,
        ids=ids,
        total=max(0, told) if ids is None else len(ids),
    )


def not_now(trouble: SidecarError, look: Look | None = None) -> Response:
    """Say why something cannot be shown or done now; a machine can be asked for a look."""
    device_id = (request.view_args or {}).get("device_id", "")
    page = render_template("imports/not_now.html", trouble=trouble, device_id=device_id, look=look)
    return make_response(page, HTTPStatus.CONFLICT)


def not_there(trouble: DeviceError) -> Response:
    """Say why a device cannot be read; one that another machine has can be looked at there."""
    is_elsewhere = request.method == "GET" and trouble.code in {ELSEWHERE, SILENT}
    looks = {page: what for what, page in PAGES.items()}
    return not_now(trouble, looks.get(request.endpoint or "") if is_elsewhere else None)
