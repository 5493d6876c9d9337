"""`/api/v1/items`: the Jellyfin library of who asks, with what is on their devices."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request, url_for

from sidecar.errors import NotPossible, NotVisible
from sidecar.services.files.streaming import Local
from sidecar.services.library.browse import LibraryBrowser, LibraryEntry
from sidecar.services.library.download_state import ItemDownloadState
from sidecar.web.api.downloads import COVER_WIDTHS, picture
from sidecar.web.api.files import media_url
from sidecar.web.api.preferences import ITEM, checked
from sidecar.web.request import query_params
from sidecar.web.request.errors import answer
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk, media = services.library, services.media
    items = Blueprint("items", __name__, url_prefix="/api/v1/items")

    @items.get("")
    def listed() -> Response:
        found = desk.listed(person(), query_params.items_query(request.args))
        return jsonify(
            {
                "items": [_item(one) for one in found.items],
                "total": found.total,
                "page": found.page,
                "page_size": found.page_size,
            }
        )

    @items.get(f"/{ITEM}")
    def show(item_id: str) -> Response:
        return jsonify(_item(desk.show(person(), checked(item_id))))

    @items.get(f"/{ITEM}/cover")
    def cover(item_id: str) -> Response:
        wanted = request.args.get("size", default=COVER_WIDTHS[0], type=int)
        width = next((one for one in COVER_WIDTHS if one >= wanted), COVER_WIDTHS[-1])
        return picture(desk.cover(person(), checked(item_id), width), width)

    @items.get(f"/{ITEM}/source")
    def source(item_id: str) -> Response:
        found = media.source(person(), checked(item_id))
        if isinstance(found, Local):
            url = media_url(found.download_id)
            return jsonify({"source": "local", "path": str(found.path), "url": url})
        url = url_for("media.item", item_id=found.item_id)
        return jsonify({"source": "remote", "stream_url": url})

    _hearts(items, desk)
    items.register_error_handler(NotVisible, lambda error: answer(HTTPStatus.NOT_FOUND, str(error)))
    items.register_error_handler(NotPossible, _refused)
    return items


def _hearts(items: Blueprint, desk: LibraryBrowser) -> None:
    @items.put(f"/{ITEM}/heart")
    def heart(item_id: str) -> Response:
        pressed = desk.heart(person(), checked(item_id), value=True)
        return jsonify({"item_id": item_id, "favourite": pressed})

    @items.delete(f"/{ITEM}/heart")
    def no_heart(item_id: str) -> Response:
        pressed = desk.heart(person(), checked(item_id), value=False)
        return jsonify({"item_id": item_id, "favourite": pressed})


def _refused(error: NotPossible) -> Response:
    return answer(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def _item(shown: LibraryEntry) -> dict[str, object]:
    entry, item = shown.entry, shown.entry.item
    has_cover = item.image_item_id is not None
    return {
        "item_id": item.id,
        "kind": entry.kind.value,
        "item_type": item.type.value,
        "title": item.title,
        "artist": item.artist or item.album_artist,
        "album": item.album,
        "album_id": item.album_id,
        "series": item.series,
        "series_id": item.series_id,
        "number": item.number,
        "disc": item.disc,
        "year": item.year,
        "seconds": item.seconds,
        "size": item.size,
        "favourite": item.is_favorite,
        "played": item.is_played,
        "children": entry.children,
        "can_download": bool(item.can_download),
        "cover": url_for("items.cover", item_id=item.id) if has_cover else None,
        "devices": None if shown.buttons is None else [_button(one) for one in shown.buttons],
    }


def _button(one: ItemDownloadState) -> dict[str, object]:
    return {
        "device_id": one.device_id,
        "device_name": one.device_name,
        "state": one.state.value,
        "download_id": one.download_id,
        "place": one.place,
        "progress": one.progress,
        "done": one.done,
        "total": one.total,
    }
