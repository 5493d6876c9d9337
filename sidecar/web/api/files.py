"""`/api/v1/offline`: what can be played without Jellyfin. Reads only, and looks before it says."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request, url_for

from sidecar.domain.kinds import kind_of
from sidecar.errors import NotVisible
from sidecar.services.files.search import FoundFile
from sidecar.web.api import presenters
from sidecar.web.api.preferences import ITEM, checked
from sidecar.web.request import query_params
from sidecar.web.request.errors import answer
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.file_search
    offline = Blueprint("offline", __name__, url_prefix="/api/v1/offline")

    @offline.get("")
    def files() -> Response:
        found = desk.files(person(), query_params.files_query(request.args))
        return jsonify(
            {
                "items": [_file(one) for one in found.items],
                "total": found.total,
                "page": found.page,
                "page_size": found.page_size,
                "missing": found.missing,
            }
        )

    @offline.get(f"/{ITEM}")
    def item(item_id: str) -> Response:
        found = desk.item(person(), checked(item_id))
        files = [_file(one) for one in found]
        best = {name: files[0][name] for name in ("available", "text", "path", "url")}
        return jsonify({"item_id": item_id, **best, "files": files})

    offline.register_error_handler(
        NotVisible, lambda error: answer(HTTPStatus.NOT_FOUND, str(error))
    )
    return offline


def media_url(download_id: int) -> str:
    """Return where a file is fetched from us."""
    return url_for("media.file", download_id=download_id)


def _file(one: FoundFile) -> dict[str, object]:
    view, sight = one.view, one.sight
    told = presenters.download(view)
    return {
        "download_id": view.id,
        "item_id": view.item_id,
        "device_id": view.device_id,
        "device_name": view.device_name,
        "title": view.title,
        "artist": view.artist,
        "album": view.album,
        "kind": kind_of(view.item_type).value,
        "item_type": view.item_type,
        "file_path": view.file_path,
        "size": view.expected_size,
        "content_hash": view.content_hash,
        "completed_at": presenters.moment(view.completed_at),
        "reasons": told["reasons"],
        "owners": told["owners"],
        "available": sight.is_available,
        "text": sight.text,
        "path": str(sight.path) if sight.path else None,
        "url": media_url(view.id) if sight.is_available else None,
    }
