"""`/devices/ID/player`: whose player it is, and what it knows: positions, counts, ratings.

GET requests only show a preview.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.errors import DeviceError
from sidecar.services.players.player_logs.state_views import NotTheListener
from sidecar.services.players.player_logs.states import Wanted
from sidecar.services.players.player_logs.views import LogInUse
from sidecar.web import redirects
from sidecar.web.pages.devices.imports import not_now, not_there
from sidecar.web.pages.page_routes import PageRoutes
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

ONE = "/<string(maxlength=80):device_id>/player"
LONGEST_ID = 80
MOST_SHOWN = 100
ANSWER = "answer-"


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    orders = services.orders
    player = PageRoutes("player", url_prefix="/devices")

    @player.get(ONE, role=Role.SIGNED_IN)
    def show(device_id: str) -> str:
        known = orders.look(orders.kinds.look_at_player, person(), device_id)
        return render_template("imports/player.html", known=known, most=MOST_SHOWN)

    @player.post(ONE, role=Role.SIGNED_IN)
    def take(device_id: str) -> str:
        wanted = _wanted(request.form)
        done = orders.press(orders.kinds.take_states, person(), device_id, wanted)
        return render_template("imports/player_taken.html", done=done, device_id=device_id)

    @player.post(f"{ONE}/given", role=Role.SIGNED_IN)
    def give(device_id: str) -> str:
        bookmarks, changelog = "bookmarks" in request.form, "changelog" in request.form
        done = orders.press(orders.kinds.give, person(), device_id, bookmarks, changelog)
        return render_template("imports/player_given.html", done=done, device_id=device_id)

    @player.post(f"{ONE}/listener", role=Role.SIGNED_IN)
    def listener(device_id: str) -> Response:
        user_id = request.form.get("user", "")[:LONGEST_ID]
        services.listeners.choose(person(), device_id, user_id or None)
        return _back(device_id)

    @player.post(f"{ONE}/imports/<int:import_id>/undo", role=Role.SIGNED_IN)
    def undo(device_id: str, import_id: int) -> Response:
        services.player_states.undo(person(), device_id, import_id)
        return _back(device_id)

    for trouble in (LogInUse, NotTheListener):
        player.blueprint.register_error_handler(trouble, not_now)
    player.blueprint.register_error_handler(DeviceError, not_there)
    return player.blueprint


def _wanted(form: Mapping[str, str]) -> Wanted:
    """Return what was ticked, and the answers to the questions."""
    answers = {
        name.removeprefix(ANSWER)[:LONGEST_ID]: value == "player"
        for name, value in form.items()
        if name.startswith(ANSWER) and value in {"player", "jellyfin"}
    }
    return Wanted(
        positions="positions" in form,
        counts="counts" in form,
        hearts="hearts" in form,
        answers=answers,
    )


def _back(device_id: str) -> Response:
    return redirect(redirects.safe_target(url_for("player.show", device_id=device_id)), 303)
