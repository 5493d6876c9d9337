"""Remote control: commands that one client sends to another client's session.

    POST /Sessions/{id}/Playing            Play: albums and the like are expanded before
    POST /Sessions/{id}/Playing/{command}  Playstate
    POST /Sessions/{id}/Command[/{name}]   GeneralCommand
    POST /Sessions/{id}/Message            GeneralCommand, DisplayMessage

The server asks nothing of the session that it could refuse: it answers 204 before anybody obeys.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from sidecar.demo.library.items import DemoItem
from sidecar.demo.protocol.formats import Json, parse_id
from sidecar.demo.protocol.messages import ErrorReply, Reply, empty_reply, no_content, problem_reply
from sidecar.demo.routes.query_params import split_list
from sidecar.demo.routes.routing import RequestContext, Route
from sidecar.demo.state.sessions import DemoSession


def _play(ask: RequestContext) -> Reply:
    session = _find_session(ask)
    items = (ask.core.find(parse_id(one)) for one in split_list(ask.request.values("itemIds")))
    order: Json = {
        "ItemIds": [song.id for one in items if one for song in _expand(ask, one)],
        "PlayCommand": ask.request.value("playCommand") or "PlayNow",
        "ControllingUserId": ask.asker.id,
    }
    start = ask.number("startIndex")
    if start is not None:
        order["StartIndex"] = start
    ask.core.sockets.send_to_session(session, "Play", order)
    return no_content()


def _playstate(ask: RequestContext) -> Reply:
    session = _find_session(ask)
    order: Json = {"Command": ask.places["command"]}
    seek = ask.number("seekPositionTicks")
    if seek is not None:
        order["SeekPositionTicks"] = seek
    ask.core.sockets.send_to_session(
        session, "Playstate", order | {"ControllingUserId": ask.asker.id}
    )
    return no_content()


def _command(ask: RequestContext) -> Reply:
    name = ask.places.get("command")
    fields = {} if name else ask.request.fields()
    return _general(ask, name or str(fields.get("name") or ""), fields.get("arguments") or {})


def _message(ask: RequestContext) -> Reply:
    fields = ask.request.fields()
    text, timeout_ms = fields.get("text"), fields.get("timeoutms")
    if not text:
        return problem_reply(HTTPStatus.BAD_REQUEST)
    header = str(fields.get("header") or "").strip() or "Message from Server"
    words = {"Header": header, "Text": str(text)}
    if timeout_ms is not None:
        words["TimeoutMs"] = str(int(timeout_ms))
    return _general(ask, "DisplayMessage", words)


def _general(ask: RequestContext, name: str, arguments: dict[str, Any]) -> Reply:
    order = {"Name": name, "ControllingUserId": ask.asker.id, "Arguments": arguments}
    ask.core.sockets.send_to_session(_find_session(ask), "GeneralCommand", order)
    return no_content()


def _find_session(ask: RequestContext) -> DemoSession:
    """Return the session that the path names.

    Raises:
        ErrorReply: There is none, or the asker may not control those of others.
    """
    session = ask.core.sessions.get(ask.places["session"].lower())
    if session is None:
        raise ErrorReply(problem_reply(HTTPStatus.NOT_FOUND))
    user = ask.asker
    if session.user_id != user.id and not user.policy["EnableRemoteControlOfOtherUsers"]:
        raise ErrorReply(empty_reply(HTTPStatus.FORBIDDEN))
    return session


def _expand(ask: RequestContext, item: DemoItem) -> Iterator[DemoItem]:
    playlist = ask.core.playlists.by_id.get(item.id)
    if playlist is not None:
        songs = (ask.core.library.get(one) for one in playlist.item_ids)
        yield from (one for one in songs if one is not None)
        return
    songs_of_it = list(ask.core.library.songs_of(item))
    yield from sorted(
        songs_of_it, key=lambda one: (one.parent_index or 0, one.index or 0, one.sort_name)
    )


ROUTES = (
    Route("POST", "/Sessions/{session}/Playing", _play),
    Route("POST", "/Sessions/{session}/Playing/{command}", _playstate),
    Route("POST", "/Sessions/{session}/Command", _command),
    Route("POST", "/Sessions/{session}/Command/{command}", _command),
    Route("POST", "/Sessions/{session}/Message", _message),
)
