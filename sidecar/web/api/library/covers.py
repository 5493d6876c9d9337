"""Pictures: the widths there are, and how they are answered."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Response, request

from sidecar.errors import JellyfinError, NotVisible, SignedOut
from sidecar.services.library.covers import Cover
from sidecar.web.request.errors import ApiError
from sidecar.web.request.query_params import Query, Width

COVER_WIDTHS = (120, 240, 480)
# One pixel that cannot be seen.
CLEAR = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"})


class WidthQuery(Query):
    """The wanted width of a picture, in pixels."""

    width: Width = 0


def cover_width(wanted: int) -> int:
    """Return the smallest available width that is wide enough, else the largest."""
    return next((one for one in COVER_WIDTHS if one >= wanted), COVER_WIDTHS[-1])


def cover_reply(load: Callable[[], Cover], width: int) -> Response:
    """Return a picture that browsers may cache but must revalidate before each use.

    A page has its placeholder behind each: where there is no picture, a browser that asks for one
    to show gets one that cannot be seen. Without any it would draw a broken one.

    Raises:
        ApiError: Its media type could carry a script (404).
    """
    try:
        found = load()
    except (NotVisible, JellyfinError) as error:
        is_shown = request.headers.get("Sec-Fetch-Dest") == "image"
        if is_shown and not isinstance(error, SignedOut):
            return Response(CLEAR, mimetype="image/gif", headers={"Cache-Control": "no-store"})
        raise
    if found.mime_type not in PICTURES:
        raise ApiError(HTTPStatus.NOT_FOUND)
    reply = Response(found.body, mimetype=found.mime_type)
    reply.headers["Cache-Control"] = "private, no-cache"
    reply.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    reply.set_etag(f"{found.tag}-{width}".encode("ascii", "ignore").decode().replace('"', ""))
    reply.make_conditional(request)
    return reply
