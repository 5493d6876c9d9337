"""`/api/v1/plays` and `/api/v1/now`: what was heard, and what is heard now. Reads only."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from sidecar.services.plays_desk import NowView, PlaysDesk, PlayView
from sidecar.web import asking, presenters
from sidecar.web.security import person


def routes(desk: PlaysDesk) -> Blueprint:
    """Return the routes."""
    plays = Blueprint("plays", __name__, url_prefix="/api/v1")

    @plays.get("/plays")
    def listed() -> Response:
        asked = asking.for_plays(request.args)
        found = desk.plays(person(), asked.account, asked.page, asked.page_size)
        return jsonify(
            {
                "items": [_play(one) for one in found.items],
                "total": found.total,
                "page": found.page,
                "page_size": found.page_size,
            }
        )

    @plays.get("/now")
    def now() -> Response:
        return jsonify(presenters.whole([_now(one) for one in desk.now(person())]))

    return plays


def _play(view: PlayView) -> dict[str, object]:
    return {
        "item_id": view.item_id,
        "title": view.title,
        "client": view.client,
        "started_at": presenters.moment(view.started_at),
        "seconds_heard": round(view.seconds_heard, 1),
        "counted": view.is_counted,
    }


def _now(view: NowView) -> dict[str, object]:
    return {
        "account": view.account,
        "item_id": view.item_id,
        "title": view.title,
        "artist": view.artist,
        "album": view.album,
        "item_type": view.item_type,
        "client": view.client,
        "device_name": view.device_name,
        "started_at": presenters.moment(view.started_at),
        "position": round(view.position, 1),
        "seconds": view.seconds,
        "seconds_heard": round(view.seconds_heard, 1),
        "is_paused": view.is_paused,
    }
