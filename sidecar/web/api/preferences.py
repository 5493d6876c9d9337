"""`/api/v1`: what people say about rules, holds and devices.

Bodies become values or end the request; what may be said is the desk's to decide.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated

from flask import Blueprint, Response, jsonify
from pydantic import Field

from sidecar.errors import ConfigError, NotPossible, NotVisible
from sidecar.services.rules.preferences import PreferenceService
from sidecar.services.rules.settings_view import DeviceSettingsView, Setting
from sidecar.web.api import presenters
from sidecar.web.request import json_body
from sidecar.web.request.errors import ApiError, answer
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices

DEVICE = "/devices/<string(maxlength=80):device_id>"
ITEM = "<string(length=32):item_id>"
RULE = "<string(maxlength=40):rule>"
ITEM_ID = re.compile(r"[0-9a-f]{32}")
MOST_KEYS = 40
FURTHEST = 2**62

Name = Annotated[str, Field(min_length=1, max_length=40)]
Text = Annotated[str, Field(max_length=100)]
Number = Annotated[int, Field(ge=-FURTHEST, le=FURTHEST)]
Changes = Annotated[dict[Name, bool | Number | Text | None], Field(max_length=MOST_KEYS)]


class SettingsChange(json_body.Body):
    """Keys of a device and of rules there; null takes a change back."""

    settings: Changes = Field(default_factory=dict)
    rules: Annotated[dict[Name, Changes], Field(max_length=MOST_KEYS)] = Field(default_factory=dict)


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.preferences
    api = Blueprint("steering", __name__, url_prefix="/api/v1")
    api.register_error_handler(NotVisible, _not_here)
    api.register_error_handler(NotPossible, _refused)
    api.register_error_handler(ConfigError, _refused)
    _settings(api, desk)
    _pins(api, desk)
    _exclusions(api, desk)
    _playlists(api, desk)
    _removed(api, desk)
    return api


def _settings(api: Blueprint, desk: PreferenceService) -> None:
    @api.get(f"{DEVICE}/settings")
    def settings(device_id: str) -> Response:
        return jsonify(_shown(desk.settings(person(), device_id)))

    @api.patch(f"{DEVICE}/settings")
    def change(device_id: str) -> Response:
        asked = json_body.read(SettingsChange)
        return jsonify(_shown(desk.change(person(), device_id, asked.settings, asked.rules)))


def _pins(api: Blueprint, desk: PreferenceService) -> None:
    @api.get(f"{DEVICE}/pins")
    def pins(device_id: str) -> Response:
        found = desk.pins(person(), device_id)
        items = [{"item_id": one.item_id, "text": one.text, "files": one.files} for one in found]
        return jsonify(presenters.whole(items))

    @api.put(f"{DEVICE}/pins/{ITEM}")
    def pin(device_id: str, item_id: str) -> Response:
        return jsonify(queued=desk.pin(person(), device_id, checked(item_id)))

    @api.delete(f"{DEVICE}/pins/{ITEM}")
    def unpin(device_id: str, item_id: str) -> Response:
        desk.unpin(person(), device_id, checked(item_id))
        return _done()


def _exclusions(api: Blueprint, desk: PreferenceService) -> None:
    @api.get("/exclusions")
    def exclusions() -> Response:
        found = desk.exclusions(person())
        items = [
            {"device_id": one.device_id, "rule": one.rule, "item_id": one.item_id} for one in found
        ]
        return jsonify(presenters.whole(items))

    @api.put(f"{DEVICE}/exclusions/{RULE}/{ITEM}")
    def exclude(device_id: str, rule: str, item_id: str) -> Response:
        desk.exclude(person(), device_id, rule, checked(item_id))
        return _done()

    @api.delete(f"{DEVICE}/exclusions/{RULE}/{ITEM}")
    def include(device_id: str, rule: str, item_id: str) -> Response:
        desk.include(person(), device_id, rule, checked(item_id))
        return _done()


def _playlists(api: Blueprint, desk: PreferenceService) -> None:
    @api.get(f"{DEVICE}/playlists")
    def playlists(device_id: str) -> Response:
        found = desk.playlists(person(), device_id)
        items = [{"playlist_id": one.playlist_id, "title": one.title} for one in found]
        return jsonify(presenters.whole(items))

    @api.put(f"{DEVICE}/playlists/{ITEM}")
    def choose(device_id: str, item_id: str) -> Response:
        chosen = desk.choose(person(), device_id, checked(item_id))
        return jsonify(playlist_id=chosen.playlist_id, title=chosen.title)

    @api.delete(f"{DEVICE}/playlists/{ITEM}")
    def drop(device_id: str, item_id: str) -> Response:
        desk.drop(person(), device_id, checked(item_id))
        return _done()


def _removed(api: Blueprint, desk: PreferenceService) -> None:
    @api.get(f"{DEVICE}/removed")
    def removed(device_id: str) -> Response:
        found = desk.removed(person(), device_id)
        items = [{"item_id": one.item_id, "title": one.title} for one in found]
        return jsonify(presenters.whole(items))

    @api.delete(f"{DEVICE}/removed/{ITEM}")
    def want_again(device_id: str, item_id: str) -> Response:
        desk.want_again(person(), device_id, checked(item_id))
        return _done()

    @api.get(f"{DEVICE}/items/{ITEM}/why")
    def why(device_id: str, item_id: str) -> Response:
        asker = person()
        found = desk.why(asker, device_id, checked(item_id))
        reasons = [
            {
                "rule": one.rule,
                "account": one.who or asker.name,
                "text": one.text,
                "release_at": presenters.moment(one.release_at),
            }
            for one in found.wanted
        ]
        return jsonify(
            is_here=found.is_here,
            status=found.status.value if found.status else None,
            sentences=list(found.sentences),
            reasons=reasons,
        )


def checked(item_id: str) -> str:
    """Return an item id as it is told everywhere; anything else is no item."""
    if not ITEM_ID.fullmatch(item_id):
        raise ApiError(HTTPStatus.NOT_FOUND)
    return item_id


def _done() -> Response:
    return Response(status=HTTPStatus.NO_CONTENT)


def _not_here(error: NotVisible) -> Response:
    return answer(HTTPStatus.NOT_FOUND, str(error))


def _refused(error: NotPossible | ConfigError) -> Response:
    return answer(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def _shown(steering: DeviceSettingsView) -> dict[str, object]:
    return {
        "id": steering.device_id,
        "name": steering.name,
        **presenters.management(steering.management),
        "settings": _all(steering.settings),
        "rules": {
            one.name: {
                "settings": _all(one.settings),
                "remarks": list(one.remarks),
                "because": list(one.because),
            }
            for one in steering.rules
        },
    }


def _all(settings: tuple[Setting, ...]) -> dict[str, object]:
    return {one.key.name: _setting(one) for one in settings}


def _setting(one: Setting) -> dict[str, object]:
    told: dict[str, object] = {
        "value": one.value,
        "default": one.default,
        "kind": one.key.kind.value,
    }
    bounds = {"least": one.key.least, "most": one.key.most}
    told |= {name: bound for name, bound in bounds.items() if bound is not None}
    return told | ({"options": list(one.key.options)} if one.key.options else {})
