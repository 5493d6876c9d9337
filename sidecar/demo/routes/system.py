"""Routes of the server's own state: public info, the activity log, the scan."""

from __future__ import annotations

from http import HTTPStatus

from sidecar.demo.library.scan_task import SCAN_TASK_ID
from sidecar.demo.protocol.formats import Json, parse_date, to_camel
from sidecar.demo.protocol.messages import Reply, json_reply, no_content, problem_reply, text_reply
from sidecar.demo.routes.routing import AccessLevel, RequestContext, Route

_SCAN_SOON_S = 0.05
_LOG_PAGE = 100


def public_info(ask: RequestContext) -> Json:
    """Return the public information of the server."""
    core = ask.core
    return {
        "LocalAddress": f"http://{ask.request.headers.get('Host', 'localhost')}",
        "ServerName": "Demo",
        "Version": core.speaks.value,
        "ProductName": "Jellyfin Server",
        "OperatingSystem": "",
        "Id": core.server_id,
        "StartupWizardCompleted": True,
    }


def startup_info(ask: RequestContext) -> Json:
    """Return the public information as it is shortly before the server is ready."""
    told_early = {to_camel(name): value for name, value in public_info(ask).items()}
    return told_early | {"startupWizardCompleted": False}


def health_reply(word: str) -> Reply:
    """Return the answer of the health check."""
    headers = {
        "Cache-Control": "no-store, no-cache",
        "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
        "Pragma": "no-cache",
    }
    return text_reply(word.encode(), "text/plain", headers=headers)


def _health(_: RequestContext) -> Reply:
    return health_reply("Healthy")


def _public(ask: RequestContext) -> Reply:
    return json_reply(public_info(ask))


def _all(ask: RequestContext) -> Reply:
    return json_reply(
        public_info(ask)
        | {"HasPendingRestart": False, "IsShuttingDown": False, "CanSelfRestart": True}
    )


def _ping(_: RequestContext) -> Reply:
    return json_reply("Jellyfin Server")


def _activity(ask: RequestContext) -> Reply:
    start, limit = ask.number("startIndex") or 0, ask.number("limit") or _LOG_PAGE
    since = ask.request.value("minDate")
    entries = [
        one
        for one in ask.core.activity_log.entries
        if since is None or parse_date(str(one["Date"])) >= parse_date(since)
    ]
    return json_reply(
        {
            "Items": entries[start : start + limit],
            "TotalRecordCount": len(entries),
            "StartIndex": start,
        }
    )


def _scan(ask: RequestContext) -> Reply:
    ask.core.scheduler.after(_SCAN_SOON_S, "scan", ask.core.scan)
    return no_content()


def _tasks(ask: RequestContext) -> Reply:
    return json_reply([ask.core.scan_task.to_dto()])


def _task(ask: RequestContext) -> Reply:
    if ask.places["task"].lower() != SCAN_TASK_ID:
        return problem_reply(HTTPStatus.NOT_FOUND)
    return json_reply(ask.core.scan_task.to_dto())


def _run(ask: RequestContext) -> Reply:
    found = ask.places["task"].lower() == SCAN_TASK_ID
    return _scan(ask) if found else problem_reply(HTTPStatus.NOT_FOUND)


ROUTES = (
    Route("GET", "/health", _health, AccessLevel.ANYONE),
    Route("GET", "/System/Info/Public", _public, AccessLevel.ANYONE),
    Route("GET", "/System/Info", _all),
    Route("GET", "/System/Ping", _ping, AccessLevel.ANYONE),
    Route("POST", "/System/Ping", _ping, AccessLevel.ANYONE),
    Route("GET", "/System/ActivityLog/Entries", _activity, AccessLevel.ADMIN),
    Route("POST", "/Library/Refresh", _scan, AccessLevel.ADMIN),
    Route("GET", "/ScheduledTasks", _tasks, AccessLevel.ADMIN),
    Route("GET", "/ScheduledTasks/{task}", _task, AccessLevel.ADMIN),
    Route("POST", "/ScheduledTasks/Running/{task}", _run, AccessLevel.ADMIN),
)
