"""`/api/v1`: what the pages show, for programs. Reads only; the desk says what may be seen."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request

from sidecar.services.downloads.listing import DownloadListing
from sidecar.services.library.covers import Cover
from sidecar.web.api import presenters
from sidecar.web.request import query_params
from sidecar.web.request.errors import ApiError
from sidecar.web.security.auth import person
from sidecar.web.services import WebServices

LARGEST_ID = 2**63 - 1
COVER_WIDTHS = (120, 240, 480)
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"})


def answer_conditionally(reply: Response) -> Response:
    """Tag what a program reads, so that one that asks again what it knows gets no body."""
    is_read = request.method == "GET" and request.path.startswith("/api/v1/")
    if is_read and reply.status_code == HTTPStatus.OK and reply.is_json:
        reply.add_etag()
        reply.make_conditional(request)
    return reply


def routes(services: WebServices) -> Blueprint:
    """Return the routes."""
    desk = services.downloads
    api = Blueprint("api", __name__, url_prefix="/api/v1")

    @api.get("/downloads")
    def downloads() -> Response:
        return jsonify(
            presenters.page(desk.downloads(person(), query_params.download_query(request.args)))
        )

    @api.get(f"/downloads/<int(max={LARGEST_ID}):download_id>")
    def download(download_id: int) -> Response:
        found = desk.download(person(), download_id)
        if found is None:
            raise ApiError(HTTPStatus.NOT_FOUND)
        return jsonify(presenters.download(found))

    @api.get(f"/downloads/<int(max={LARGEST_ID}):download_id>/cover")
    def cover(download_id: int) -> Response:
        return _picture(desk, download_id)

    @api.get("/devices")
    def devices() -> Response:
        found = desk.devices(person())
        return jsonify(presenters.whole([presenters.device(one) for one in found]))

    @api.get("/notices")
    def notices() -> Response:
        found = desk.notices(person())
        return jsonify(presenters.whole([presenters.notice(one) for one in found]))

    return api


def _picture(desk: DownloadListing, download_id: int) -> Response:
    wanted = request.args.get("width", default=COVER_WIDTHS[0], type=int)
    width = next((one for one in COVER_WIDTHS if one >= wanted), COVER_WIDTHS[-1])
    found = desk.cover(person(), download_id, width)
    if found is None:
        raise ApiError(HTTPStatus.NOT_FOUND)
    return picture(found, width)


def picture(found: Cover, width: int) -> Response:
    """Return a picture that may be kept, but is shown only after asking whether it still may be.

    Raises:
        Problem: It is of a type that could carry a script (404).
    """
    if found.mime_type not in PICTURES:
        raise ApiError(HTTPStatus.NOT_FOUND)
    reply = Response(found.body, mimetype=found.mime_type)
    reply.headers["Cache-Control"] = "private, no-cache"
    reply.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    reply.set_etag(f"{found.tag}-{width}".encode("ascii", "ignore").decode().replace('"', ""))
    reply.make_conditional(request)
    return reply
