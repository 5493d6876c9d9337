"""`/api/v1/keys`: keys for programs. A key is shown when it is made, and never again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from flask import Blueprint, Response, jsonify
from pydantic import StringConstraints

from sidecar.services.accounts.api_keys import ApiKeyView
from sidecar.web.api import presenters
from sidecar.web.api.download_bodies import LARGEST_ID
from sidecar.web.i18n.numbers import translatable
from sidecar.web.request import json_body
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices

LONGEST_LABEL = 100
TOO_MANY = translatable("This account has too many keys: revoke one that is not needed any more.")


class NewKey(json_body.Body):
    """What the key is for, in the owner's words."""

    label: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_LABEL)
    ]


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.api_keys
    keys = Blueprint("keys", __name__, url_prefix="/api/v1/keys")

    @keys.get("")
    def show() -> Response:
        return jsonify(presenters.whole([_key(one) for one in desk.keys(person())]))

    @keys.post("")
    def make() -> tuple[Response, int]:
        made = desk.make_key(person(), json_body.read(NewKey).label)
        if made is None:
            raise ApiError(HTTPStatus.CONFLICT, TOO_MANY, facts={"code": "too-many-keys"})
        key, secret = made
        return jsonify({**_key(key), "key": secret}), HTTPStatus.CREATED

    @keys.delete(f"/<int(max={LARGEST_ID}):key_id>")
    def revoke(key_id: int) -> Response:
        if not desk.revoke_key(person(), key_id):
            raise ApiError(HTTPStatus.NOT_FOUND)
        return Response(status=HTTPStatus.NO_CONTENT)

    return keys


def _key(one: ApiKeyView) -> dict[str, object]:
    return {
        "id": one.id,
        "label": one.label,
        "created_at": presenters.moment(one.created_at),
        "last_used_at": presenters.moment(one.last_used_at),
    }
