"""`/profile`: a person's own keys. A key is shown on the page that makes it, and never again."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sidecar.services.action_desk import KeyDesk
from sidecar.web.action_bodies import LARGEST_ID
from sidecar.web.keys import LONGEST_LABEL, TOO_MANY
from sidecar.web.problems import Problem
from sidecar.web.security import person


def routes(keys: KeyDesk) -> Blueprint:
    """Return the routes."""
    profile = Blueprint("profile", __name__, url_prefix="/profile")

    @profile.get("")
    def show() -> Response:
        return _page(keys)

    @profile.post("/keys")
    def make_key() -> Response:
        label = " ".join(request.form.get("label", "").split())
        if not 0 < len(label) <= LONGEST_LABEL:
            raise Problem(HTTPStatus.BAD_REQUEST)
        made = keys.make_key(person(), label)
        if made is None:
            return _page(keys, trouble=TOO_MANY, status=HTTPStatus.CONFLICT)
        return _page(keys, fresh=made[1], label=label, status=HTTPStatus.CREATED)

    @profile.post(f"/keys/<int(max={LARGEST_ID}):key_id>/revoke")
    def revoke_key(key_id: int) -> Response:
        if not keys.revoke_key(person(), key_id):
            raise Problem(HTTPStatus.NOT_FOUND)
        return redirect(url_for("profile.show"), 303)

    return profile


def _page(
    keys: KeyDesk,
    *,
    fresh: str | None = None,
    label: str = "",
    trouble: str | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    page = render_template(
        "profile.html", keys=keys.keys(person()), fresh=fresh, label=label, trouble=trouble
    )
    return make_response(page, status)
