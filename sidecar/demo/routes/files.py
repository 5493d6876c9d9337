"""Routes that serve files: originals, streams, pictures and lyrics.

Nothing is transcoded: a stream that is not asked for as the original is answered with 500, as
the real server does when its ffmpeg does not start.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path

from werkzeug.http import http_date

from sidecar.demo.library.items import BaseItemKind, DemoItem, Media
from sidecar.demo.protocol import ranges
from sidecar.demo.protocol.formats import Json, ticks
from sidecar.demo.protocol.messages import (
    ErrorReply,
    Reply,
    empty_reply,
    json_reply,
    problem_reply,
    server_error,
)
from sidecar.demo.routes.query_params import split_list
from sidecar.demo.routes.routing import AccessLevel, RequestContext, Route

_LINE = re.compile(r"\[(\d+):(\d+(?:\.\d+)?)\](.*)")
# The streams of pictures and sound come before.
FIRST_CAPTION = 2
_FOR_EVER = "max-age=31536000"


def _download(ask: RequestContext) -> Reply:
    user = ask.asker
    if not user.may_download:
        # An administrator gets past the permission and fails further in.
        is_admin = user.is_administrator
        return (
            server_error(HTTPStatus.BAD_REQUEST) if is_admin else empty_reply(HTTPStatus.FORBIDDEN)
        )
    item = ask.item(user)
    if item.media is None or item.disc is not None:
        return server_error(HTTPStatus.BAD_REQUEST)
    if ask.device is not None:
        client = ask.claim.client or ask.device.client
        ask.core.activity_log.download(user, item, client, ask.claim.device or ask.device.device)
    ask.core.news.activity(ask.core.users.by_id)
    return _file(ask, item.media.file, {"Content-Disposition": ranges.disposition(item.path)})


def _original(ask: RequestContext) -> Reply:
    media = ask.item(ask.asker).media
    return _file(ask, media.file, {}) if media else server_error(HTTPStatus.NOT_FOUND)


def _stream(ask: RequestContext) -> Reply:
    media = _media(ask.item())
    if (ask.request.value("static") or "").lower() != "true":
        return server_error(HTTPStatus.INTERNAL_SERVER_ERROR)
    return _file(ask, media.file, {})


def _universal(ask: RequestContext) -> Reply:
    item = ask.item(ask.asker)
    media = _media(item)
    names = {one for text in split_list(ask.request.values("container")) for one in text.split("|")}
    extension = item.path.rpartition(".")[2].lower()
    if names and not names & {extension, media.codec}:
        return server_error(HTTPStatus.INTERNAL_SERVER_ERROR)
    return _file(ask, media.file, {})


def _media(item: DemoItem) -> Media:
    if item.media is None:
        raise ErrorReply(server_error(HTTPStatus.BAD_REQUEST))
    return item.media


def _file(ask: RequestContext, file: Path, headers: dict[str, str]) -> Reply:
    """Return the requested range of a file."""
    sight = ranges.stat_file(file)
    if sight is None:
        return server_error(HTTPStatus.NOT_FOUND)
    part = ranges.select_range(sight, ask.request.headers.get)
    modified = {"Last-Modified": http_date(sight.modified)}
    if part.status is HTTPStatus.NOT_MODIFIED:
        return Reply(status=part.status, headers=modified)
    if part.status is HTTPStatus.PRECONDITION_FAILED:
        return empty_reply(part.status, **modified)
    described = modified | {
        "Content-Type": ranges.content_type(file.name),
        "Accept-Ranges": "bytes",
        **({"Content-Range": part.content_range} if part.content_range else {}),
        **headers,
    }
    return _send_file(file, part, described)


def _send_file(file: Path, part: ranges.FileRange, headers: dict[str, str]) -> Reply:
    length = {"Content-Length": str(part.length)}
    return Reply(ranges.read_blocks(file, part), part.status, length | headers)


def _picture(ask: RequestContext) -> Reply:
    item = ask.item()
    if ask.places["type"].lower() != "primary" or item.picture is None:
        missing = f"{item.name} does not have an image of type {ask.places['type']}"
        return json_reply(missing, HTTPStatus.NOT_FOUND)
    sight = ranges.stat_file(item.picture)
    if sight is None:
        return server_error(HTTPStatus.NOT_FOUND)
    headers = {
        "Content-Type": ranges.content_type(item.picture.name),
        "Age": "0",
        "Cache-Control": "public",
        "Last-Modified": http_date(sight.modified),
        "Vary": "Accept",
        "transferMode.dlna.org": "Interactive",
        "realTimeInfo.dlna.org": "DLNA.ORG_TLAG=*",
        "Content-Disposition": "attachment",
    }
    tag = ask.request.value("tag")
    if tag:
        headers |= _kept_for_ever(ask, tag)
        if headers.get("ETag") and ask.request.headers.get("If-None-Match") == headers["ETag"]:
            return Reply(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return _send_file(item.picture, ranges.FileRange(HTTPStatus.OK, 0, sight.size), headers)


def _kept_for_ever(ask: RequestContext, tag: str) -> dict[str, str]:
    if not ask.core.speaks.gives_pictures_an_etag:
        return {"Cache-Control": f"public, {_FOR_EVER}"}
    return {"Cache-Control": f"public, {_FOR_EVER}, immutable", "ETag": f'"{tag}"'}


def _lyrics(ask: RequestContext) -> Reply:
    item = ask.item(ask.asker)
    text = item.media.lyrics if item.media and item.kind is BaseItemKind.AUDIO else None
    if not text:
        return problem_reply(HTTPStatus.NOT_FOUND)
    lines = [_line(one) for one in text.splitlines() if one.strip()]
    is_synced = any("Start" in one for one in lines)
    return json_reply({"Metadata": {"IsSynced": is_synced}, "Lyrics": lines})


def _subtitles(ask: RequestContext) -> Reply:
    """Return subtitles as their file has them; unlike the real server it converts nothing."""
    media = _media(ask.item())
    index = ask.places["index"]
    place = int(index) - FIRST_CAPTION if index.isdecimal() else -1
    if not 0 <= place < len(media.captions):
        return server_error(HTTPStatus.NOT_FOUND)
    return _file(ask, media.captions[place].file, {})


def _line(text: str) -> Json:
    found = _LINE.fullmatch(text.strip())
    if found is None:
        return {"Text": text.strip()}
    start = int(found[1]) * 60 + float(found[2])
    return {"Text": found[3].strip(), "Start": ticks(start)}


_STREAMS = (
    ("/Audio/{item}/stream", _stream, AccessLevel.ANYONE),
    ("/Audio/{item}/stream.{container}", _stream, AccessLevel.ANYONE),
    ("/Videos/{item}/stream", _stream, AccessLevel.ANYONE),
    ("/Videos/{item}/stream.{container}", _stream, AccessLevel.ANYONE),
    ("/Audio/{item}/universal", _universal, AccessLevel.USER),
    ("/Videos/{item}/{source}/Subtitles/{index}/Stream.{format}", _subtitles, AccessLevel.ANYONE),
    ("/Items/{item}/Images/{type}", _picture, AccessLevel.ANYONE),
    ("/Items/{item}/Images/{type}/{number}", _picture, AccessLevel.ANYONE),
)

ROUTES = (
    Route("GET", "/Items/{item}/Download", _download),
    Route("GET", "/Items/{item}/File", _original),
    Route("GET", "/Audio/{item}/Lyrics", _lyrics),
    *(
        Route(method, path, answer, access)
        for path, answer, access in _STREAMS
        for method in ("GET", "HEAD")
    ),
)
