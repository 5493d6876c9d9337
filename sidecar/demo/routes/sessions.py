"""Routes for sessions: listing them, playback reports, capabilities."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from sidecar.demo.protocol.formats import NO_ID, now, parse_id
from sidecar.demo.protocol.messages import Reply, json_reply, no_content, server_error
from sidecar.demo.routes.query_params import split_list
from sidecar.demo.routes.routing import RequestContext, Route
from sidecar.demo.state import playback_reports
from sidecar.demo.state.core import ServerState
from sidecar.demo.state.sessions import LONG_AGO, DemoSession

Report = Callable[[ServerState, DemoSession, dict[str, Any]], None]

_CAPABILITIES = {
    "playablemediatypes": "PlayableMediaTypes",
    "supportedcommands": "SupportedCommands",
    "supportsmediacontrol": "SupportsMediaControl",
    "supportspersistentidentifier": "SupportsPersistentIdentifier",
}


def _sessions(ask: RequestContext) -> Reply:
    user = ask.asker
    seen = ask.core.sessions.visible_to(user.id, is_administrator=user.is_administrator)
    device_id = ask.request.value("deviceId")
    controlled_by = ask.request.value("controllableByUserId")
    active_within_s = ask.number("activeWithinSeconds")
    since = now() - timedelta(seconds=active_within_s) if active_within_s else LONG_AGO
    return json_reply(
        [
            ask.core.session_dto(one)
            for one in seen
            if (device_id is None or one.device_id == device_id)
            and (controlled_by is None or _may_control(ask, controlled_by, one))
            and one.last_activity >= since
        ]
    )


def _may_control(ask: RequestContext, user_id: str, session: DemoSession) -> bool:
    user = ask.core.users.by_id.get(parse_id(user_id) or "")
    if user is None or not session.is_controllable:
        return False
    return session.user_id in {user.id, NO_ID} or bool(
        user.policy["EnableRemoteControlOfOtherUsers"]
    )


def _started(ask: RequestContext) -> Reply:
    return _report(ask, playback_reports.on_start)


def _progressed(ask: RequestContext) -> Reply:
    return _report(ask, playback_reports.on_progress)


def _stopped(ask: RequestContext) -> Reply:
    body = ask.request.fields()
    position = body.get("positionticks")
    if position is not None and int(position) < 0:
        return server_error(HTTPStatus.BAD_REQUEST)
    return _report(ask, playback_reports.on_stop)


def _report(ask: RequestContext, report: Report) -> Reply:
    report(ask.core, ask.session(), ask.request.fields())
    ask.core.news.activity(ask.core.users.by_id)
    return no_content()


def _ping(ask: RequestContext) -> Reply:
    ask.session()
    return no_content()


def _full_capabilities(ask: RequestContext) -> Reply:
    fields = ask.request.fields()
    session = ask.session()
    session.capabilities |= {
        name: fields[key] for key, name in _CAPABILITIES.items() if fields.get(key) is not None
    }
    ask.core.news.sessions_changed()
    return no_content()


def _capabilities(ask: RequestContext) -> Reply:
    session = ask.session()
    value = ask.request.value("supportsMediaControl")
    session.capabilities |= {
        "PlayableMediaTypes": split_list(ask.request.values("playableMediaTypes")),
        "SupportedCommands": split_list(ask.request.values("supportedCommands")),
        "SupportsMediaControl": (value or "false").lower() == "true",
    }
    ask.core.news.sessions_changed()
    return no_content()


ROUTES = (
    Route("GET", "/Sessions", _sessions),
    Route("POST", "/Sessions/Playing", _started),
    Route("POST", "/Sessions/Playing/Progress", _progressed),
    Route("POST", "/Sessions/Playing/Stopped", _stopped),
    Route("POST", "/Sessions/Playing/Ping", _ping),
    Route("POST", "/Sessions/Capabilities", _capabilities),
    Route("POST", "/Sessions/Capabilities/Full", _full_capabilities),
)
