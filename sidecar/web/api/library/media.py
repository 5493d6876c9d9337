"""`/media`: files, streamed from a device or proxied from Jellyfin, with ranges.

No database connection is held while a file is sent, and the streams of each person are limited, so
that players cannot use up the workers that serve the pages.
"""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import quote

from flask import Response, request
from werkzeug.http import http_date

from sidecar.errors import DeviceError
from sidecar.services.files.streaming import NoFile, OpenFile, TooManyStreams
from sidecar.web.api.endpoints import NOT_FOUND, Endpoints
from sidecar.web.request.errors import answer
from sidecar.web.request.ranges import RangePart, ServedFile, part_of, to_the_second
from sidecar.web.routing import ITEM
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.server.streaming import FileBody, ProxyBody
from sidecar.web.services import WebServices

RETRY_AFTER_S = "30"
# A media file must not be able to act as a page. Opened directly in a browser, the built-in player
# requests the same URL again with our cookie: only that is allowed.
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


def _device_away(error: DeviceError) -> Response:
    return answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error), facts={"code": error.code})


def _too_many(error: TooManyStreams) -> Response:
    status = HTTPStatus.TOO_MANY_REQUESTS if error.is_own else HTTPStatus.SERVICE_UNAVAILABLE
    reply = answer(status, str(error), facts={"code": "too-many-streams"})
    reply.headers["Retry-After"] = RETRY_AFTER_S
    return reply


media = Endpoints(
    "media",
    "/media",
    errors={
        NoFile: NOT_FOUND,
        DeviceError: _device_away,
        TooManyStreams: _too_many,
    },
)


@media.get(
    "/<int:download_id>",
    role=Role.SIGNED_IN,
    media="*/*",
    answers_head=True,
)
def file(services: WebServices, download_id: int) -> Response:
    """Stream a file from a device; supports ranges."""
    asker = person()
    found = services.media.open(asker, download_id)
    try:
        facts = ServedFile(found.size, found.etag, to_the_second(found.modified_ns))
        asked = dict(request.headers)
        if request.method == "HEAD":
            # RFC 9110: Range is only defined for GET.
            asked.pop("Range", None)
        part = part_of(facts, asked)
        reply = _described(found, facts, part)
        if request.method == "HEAD" or not part.length:
            found.file.close()
            return reply
        end = services.media.begin(asker)
        services.media.note_use(asker, found)
    except BaseException:
        found.file.close()
        raise

    def close() -> None:
        found.file.close()
        end()

    reply.response = FileBody(found.file, start=part.start, length=part.length, close=close)
    reply.direct_passthrough = True
    return reply


@media.get(f"/item/{ITEM}", role=Role.SIGNED_IN, media="*/*", answers_head=True)
def item(services: WebServices, item_id: str) -> Response:
    """Stream an item's file from Jellyfin through the sidecar; supports ranges."""
    asker = person()
    end = services.media.begin(asker)
    try:
        found = services.media.stream(asker, item_id, dict(request.headers))
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


def _described(found: OpenFile, facts: ServedFile, part: RangePart) -> Response:
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
