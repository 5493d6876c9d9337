"""Sessions: who sees them, what players report, and what they say they can do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from sidecar.demo.protocol.formats import NO_ID, now, undashed
from sidecar.demo.protocol.messages import Reply, done, failed, told
from sidecar.demo.routes.query_params import listed
from sidecar.demo.routes.routing import Ask, Route
from sidecar.demo.state import playback_reports
from sidecar.demo.state.core import Core
from sidecar.demo.state.sessions import LONG_AGO, Session

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
    active_within_s = ask.number("activeWithinSeconds")
    since = now() - timedelta(seconds=active_within_s) if active_within_s else LONG_AGO
    return told(
        [
            ask.core.session_told(one)
            for one in seen
            if (device_id is None or one.device_id == device_id)
            and (controlled_by is None or _may_control(ask, controlled_by, one))
            and one.last_activity >= since
        ]
    )


def _may_control(ask: Ask, user_id: str, session: Session) -> bool:
    user = ask.core.users.by_id.get(undashed(user_id) or "")
    if user is None or not session.is_controllable:
        return False
    return session.user_id in {user.id, NO_ID} or bool(
        user.policy["EnableRemoteControlOfOtherUsers"]
    )


def _started(ask: Ask) -> Reply:
    return _report(ask, playback_reports.started)


def _progressed(ask: Ask) -> Reply:
    return _report(ask, playback_reports.progressed)


def _stopped(ask: Ask) -> Reply:
    body = ask.request.fields()
    position = body.get("positionticks")
    if position is not None and int(position) < 0:
        return failed(HTTPStatus.BAD_REQUEST)
    return _report(ask, playback_reports.stopped)


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


ROUTES = (
    Route("GET", "/Sessions", _sessions),
    Route("POST", "/Sessions/Playing", _started),
    Route("POST", "/Sessions/Playing/Progress", _progressed),
    Route("POST", "/Sessions/Playing/Stopped", _stopped),
    Route("POST", "/Sessions/Playing/Ping", _ping),
    Route("POST", "/Sessions/Capabilities", _capabilities),
    Route("POST", "/Sessions/Capabilities/Full", _full_capabilities),
)
