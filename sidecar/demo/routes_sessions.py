"""Sessions: who sees them, what players report, and what is sent to a player to play."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from sidecar.demo import reports
from sidecar.demo.asking import listed
from sidecar.demo.core import Core
from sidecar.demo.exchange import Reply, blank, done, failed, problem, told
from sidecar.demo.formats import undashed
from sidecar.demo.routing import Ask, Route
from sidecar.demo.sessions import Session

Report = Callable[[Core, Session, dict[str, Any]], None]

_CAPABILITIES = {
    "playablemediatypes": "PlayableMediaTypes",
    "supportedcommands": "SupportedCommands",
    "supportsmediacontrol": "SupportsMediaControl",
    "supportspersistentidentifier": "SupportsPersistentIdentifier",
}


def _sessions(ask: Ask) -> Reply:
    user = ask.asker
    seen = ask.core.sessions.seen_by(user.id, is_administrator=user.is_administrator)
    device_id = ask.request.value("deviceId")
    controlled_by = ask.request.value("controllableByUserId")
    return told(
        [
            ask.core.session_told(one)
            for one in seen
            if (device_id is None or one.device_id == device_id)
            and (controlled_by is None or one.is_controllable)
        ]
    )


def _started(ask: Ask) -> Reply:
    return _report(ask, reports.started)


def _progressed(ask: Ask) -> Reply:
    return _report(ask, reports.progressed)


def _stopped(ask: Ask) -> Reply:
    body = ask.request.fields()
    position = body.get("positionticks")
    if position is not None and int(position) < 0:
        return failed(HTTPStatus.BAD_REQUEST)
    return _report(ask, reports.stopped)


def _report(ask: Ask, report: Report) -> Reply:
    report(ask.core, ask.session(), ask.request.fields())
    ask.core.news.activity(ask.core.users.by_id)
    return done()


def _ping(ask: Ask) -> Reply:
    ask.session()
    return done()


def _full_capabilities(ask: Ask) -> Reply:
    fields = ask.request.fields()
    session = ask.session()
    session.capabilities |= {
        name: fields[key] for key, name in _CAPABILITIES.items() if fields.get(key) is not None
    }
    ask.core.news.sessions_changed()
    return done()


def _capabilities(ask: Ask) -> Reply:
    session = ask.session()
    value = ask.request.value("supportsMediaControl")
    session.capabilities |= {
        "PlayableMediaTypes": listed(ask.request.values("playableMediaTypes")),
        "SupportedCommands": listed(ask.request.values("supportedCommands")),
        "SupportsMediaControl": (value or "false").lower() == "true",
    }
    ask.core.news.sessions_changed()
    return done()


def _play(ask: Ask) -> Reply:
    session = ask.core.sessions.get(ask.places["session"].lower())
    if session is None:
        return problem(HTTPStatus.NOT_FOUND)
    user = ask.asker
    if session.user_id != user.id and not user.policy["EnableRemoteControlOfOtherUsers"]:
        return blank(HTTPStatus.FORBIDDEN)
    # The server has expanded albums and the like before the player hears of it.
    items = (ask.core.find(undashed(one)) for one in listed(ask.request.values("itemIds")))
    songs = [song.id for one in items if one for song in _expanded(ask, one.id)]
    ask.core.hub.to_session(
        session,
        "Play",
        {
            "ItemIds": songs,
            "PlayCommand": ask.request.value("playCommand") or "PlayNow",
            "ControllingUserId": user.id,
        },
    )
    return done()


def _expanded(ask: Ask, item_id: str) -> list[Any]:
    playlist = ask.core.playlists.by_id.get(item_id)
    if playlist is not None:
        return [song for one in playlist.item_ids if (song := ask.core.library.get(one))]
    item = ask.core.library.get(item_id)
    songs = list(ask.core.library.songs_of(item)) if item else []
    return sorted(songs, key=lambda one: (one.parent_index or 0, one.index or 0, one.sort_name))


ROUTES = (
    Route("GET", "/Sessions", _sessions),
    Route("POST", "/Sessions/Playing", _started),
    Route("POST", "/Sessions/Playing/Progress", _progressed),
    Route("POST", "/Sessions/Playing/Stopped", _stopped),
    Route("POST", "/Sessions/Playing/Ping", _ping),
    Route("POST", "/Sessions/Capabilities", _capabilities),
    Route("POST", "/Sessions/Capabilities/Full", _full_capabilities),
    Route("POST", "/Sessions/{session}/Playing", _play),
)
