"""`/media`: the files themselves, from a device or through us from Jellyfin, with ranges.

No database connection is held while a file is sent, and each person has a few places only, so that
players never starve the page.
"""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import quote

from flask import Blueprint, Response, request
from werkzeug.http import http_date

from sidecar.errors import DeviceError, NotVisible
from sidecar.services.files.streaming import MediaDesk, NoFile, OpenFile, TooManyStreams
from sidecar.web.api.downloads import LARGEST_ID
from sidecar.web.api.preferences import ITEM, checked
from sidecar.web.request.errors import answer
from sidecar.web.request.ranges import FileVersion, RangePart, part_of, to_the_second
from sidecar.web.security.auth import person
from sidecar.web.server import FileBody, ProxyBody

RETRY_AFTER_S = "30"
# Nothing in a file of sound or video may act as a page. Opened by itself, the browser's own player
# asks for the same address once more, with our cookie: no more than that is allowed.
HEADERS = MappingProxyType(
    {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": (
            "default-src 'none'; media-src 'self'; sandbox allow-same-origin"
        ),
        "X-Content-Type-Options": "nosniff",
    }
)


def routes(desk: MediaDesk) -> Blueprint:
    """Return the routes."""
    media = Blueprint("media", __name__, url_prefix="/media")

    @media.get(f"/<int(max={LARGEST_ID}):download_id>")
    def file(download_id: int) -> Response:
        return _file(desk, download_id)

    @media.get(f"/item/{ITEM}")
    def item(item_id: str) -> Response:
        return _stream(desk, checked(item_id))

    media.register_error_handler(NotVisible, _not_here)
    media.register_error_handler(NoFile, _not_here)
    media.register_error_handler(DeviceError, _device_away)
    media.register_error_handler(TooManyStreams, _too_many)
    return media


def _file(desk: MediaDesk, download_id: int) -> Response:
    asker = person()
    found = desk.open(asker, download_id)
    try:
        facts = FileVersion(found.size, found.etag, to_the_second(found.modified_ns))
        asked = dict(request.headers)
        if request.method == "HEAD":
            # A range is of a GET alone.
            asked.pop("Range", None)
        part = part_of(facts, asked)
        reply = _described(found, facts, part)
        if request.method == "HEAD" or not part.length:
            found.file.close()
            return reply
        end = desk.begin(asker)
        desk.note_use(asker, found)
    except BaseException:
        found.file.close()
        raise

    def close() -> None:
        found.file.close()
        end()

    reply.response = FileBody(found.file, start=part.start, length=part.length, close=close)
    reply.direct_passthrough = True
    return reply


def _described(found: OpenFile, facts: FileVersion, part: RangePart) -> Response:
    reply = Response(status=part.status, headers=dict(HEADERS), mimetype=found.mime_type)
    reply.set_etag(facts.etag)
    reply.headers["Last-Modified"] = http_date(facts.modified)
    reply.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(found.name, safe='')}"
    if part.status == HTTPStatus.PARTIAL_CONTENT:
        last = part.start + part.length - 1
        reply.headers["Content-Range"] = f"bytes {part.start}-{last}/{facts.size}"
    if part.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        reply.headers["Content-Range"] = f"bytes */{facts.size}"
    if part.status != HTTPStatus.NOT_MODIFIED:
        reply.headers["Content-Length"] = str(part.length)
    return reply


def _stream(desk: MediaDesk, item_id: str) -> Response:
    asker = person()
    end = desk.begin(asker)
    try:
        found = desk.stream(asker, item_id, dict(request.headers))
    except BaseException:
        end()
        raise

    def close() -> None:
        found.close()
        end()

    headers = {**HEADERS, **found.headers}
    if request.method == "HEAD":
        close()
        return Response(status=found.status, headers=headers, mimetype=found.mime_type)
    body = ProxyBody(found.blocks(), abort=found.abort, close=close)
    return Response(
        body,
        status=found.status,
        headers=headers,
        mimetype=found.mime_type,
        direct_passthrough=True,
    )


def _not_here(error: NotVisible | NoFile) -> Response:
    return answer(HTTPStatus.NOT_FOUND, str(error))


def _device_away(error: DeviceError) -> Response:
    return answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error), facts={"code": error.code})


def _too_many(error: TooManyStreams) -> Response:
    status = HTTPStatus.TOO_MANY_REQUESTS if error.is_own else HTTPStatus.SERVICE_UNAVAILABLE
    reply = answer(status, str(error), facts={"code": "too-many-streams"})
    reply.headers["Retry-After"] = RETRY_AFTER_S
    return reply
