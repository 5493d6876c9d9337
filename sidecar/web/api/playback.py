"""`/now`, `/api/v1/plays` and `/api/v1/now`: what was heard, and what is heard. Reads only."""

from __future__ import annotations

import math

from flask import Blueprint, Response, jsonify, render_template, request

from sidecar.services.playback.history import NowView, PlayHistory, PlayView
from sidecar.web.api import presenters
from sidecar.web.i18n import status_labels
from sidecar.web.request import query_params
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices

MOST_DIGITS = 8


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.playback
    plays = Blueprint("plays", __name__)

    @plays.get("/api/v1/plays")
    def listed() -> Response:
        asked = query_params.plays_query(request.args)
        found = desk.plays(person(), asked.account, asked.page, asked.page_size)
        return jsonify(
            {
                "items": [_play(one) for one in found.items],
                "total": found.total,
                "page": found.page,
                "page_size": found.page_size,
            }
        )

    @plays.get("/api/v1/now")
    def now() -> Response:
        return jsonify(presenters.whole([_now(one) for one in desk.now(person())]))

    @plays.get("/now", endpoint="now_page")
    def now_page() -> str:
        return _page(desk)

    return plays


def _page(desk: PlayHistory) -> str:
    asked = request.args.get("page", "1")
    page = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < MOST_DIGITS else 1
    found = desk.plays(person(), None, max(page, 1), query_params.PAGE_SIZE)
    last = max(1, math.ceil(found.total / query_params.PAGE_SIZE))
    return render_template(
        "now.html",
        playing=desk.now(person()),
        found=found,
        last_page=last,
        states=status_labels.PLAIN,
    )


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
        "queued": view.queued,
        "coming": [
            {
                "title": one.title,
                "artist": one.artist,
                "text": one.text,
                "places": [
                    {"device_name": name, "status": status.value} for name, status in one.places
                ],
            }
            for one in view.coming
        ],
    }
