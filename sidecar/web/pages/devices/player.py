"""`/devices/ID/player`: whose player it is, and what it knows: positions, counts, ratings.

GET requests only show a preview.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.errors import DeviceError, SidecarError
from sidecar.services.players.player_logs.state_views import NotTheListener
from sidecar.services.players.player_logs.states import Wanted
from sidecar.services.players.player_logs.views import LogInUse
from sidecar.web import redirects
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
    states, listeners = services.player_states, services.listeners
    player = PageRoutes("player", url_prefix="/devices")

    @player.get(ONE, role=Role.SIGNED_IN)
    def show(device_id: str) -> str:
        known = states.look(person(), device_id)
        return render_template("imports/player.html", known=known, most=MOST_SHOWN)

    @player.post(ONE, role=Role.SIGNED_IN)
    def take(device_id: str) -> str:
        done = states.take(person(), device_id, _wanted(request.form))
        return render_template("imports/player_taken.html", done=done, device_id=device_id)

    @player.post(f"{ONE}/given", role=Role.SIGNED_IN)
    def give(device_id: str) -> str:
        done = services.player_giver.give(
            person(),
            device_id,
            bookmarks="bookmarks" in request.form,
            changelog="changelog" in request.form,
        )
        return render_template("imports/player_given.html", done=done, device_id=device_id)

    @player.post(f"{ONE}/listener", role=Role.SIGNED_IN)
    def listener(device_id: str) -> Response:
        user_id = request.form.get("user", "")[:LONGEST_ID]
        listeners.choose(person(), device_id, user_id or None)
        return _back(device_id)

    @player.post(f"{ONE}/imports/<int:import_id>/undo", role=Role.SIGNED_IN)
    def undo(device_id: str, import_id: int) -> Response:
        states.undo(person(), device_id, import_id)
        return _back(device_id)

    for trouble in (DeviceError, LogInUse, NotTheListener):
        player.blueprint.register_error_handler(trouble, _not_now)
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


def _not_now(trouble: SidecarError) -> Response:
    device_id = (request.view_args or {}).get("device_id", "")
    page = render_template("imports/not_now.html", trouble=trouble, device_id=device_id)
    return make_response(page, 409)
