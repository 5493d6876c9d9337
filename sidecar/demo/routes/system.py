"""What the server says of itself, the activity log, and the scan."""

from __future__ import annotations

from http import HTTPStatus

from sidecar.demo.library.scan_task import SCAN_TASK_ID
from sidecar.demo.protocol.formats import Json, camel, moment
from sidecar.demo.protocol.messages import Reply, done, problem, text, told
from sidecar.demo.routes.routing import Access, Ask, Route

_SCAN_SOON_S = 0.05
_LOG_PAGE = 100


def description(ask: Ask) -> Json:
    """Return what anybody may know of the server."""
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


def starting_description(ask: Ask) -> Json:
    """Return the same as it is told just before the server is ready."""
    told_early = {camel(name): value for name, value in description(ask).items()}
    return told_early | {"startupWizardCompleted": False}


def healthy(word: str) -> Reply:
    """Return the answer of the health check."""
    headers = {
        "Cache-Control": "no-store, no-cache",
        "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
        "Pragma": "no-cache",
    }
    return text(word.encode(), "text/plain", headers=headers)


def _health(_: Ask) -> Reply:
    return healthy("Healthy")


def _public(ask: Ask) -> Reply:
    return told(description(ask))


def _all(ask: Ask) -> Reply:
    return told(
        description(ask)
        | {"HasPendingRestart": False, "IsShuttingDown": False, "CanSelfRestart": True}
    )


def _ping(_: Ask) -> Reply:
    return told("Jellyfin Server")


def _activity(ask: Ask) -> Reply:
    start, limit = ask.number("startIndex") or 0, ask.number("limit") or _LOG_PAGE
    since = ask.request.value("minDate")
    entries = [
        one
        for one in ask.core.diary.entries
        if since is None or moment(str(one["Date"])) >= moment(since)
    ]
    return told(
        {
            "Items": entries[start : start + limit],
            "TotalRecordCount": len(entries),
            "StartIndex": start,
        }
    )


def _scan(ask: Ask) -> Reply:
    ask.core.timetable.after(_SCAN_SOON_S, "scan", ask.core.scan)
    return done()


def _tasks(ask: Ask) -> Reply:
    return told([ask.core.scan_task.told()])


def _task(ask: Ask) -> Reply:
    if ask.places["task"].lower() != SCAN_TASK_ID:
        return problem(HTTPStatus.NOT_FOUND)
    return told(ask.core.scan_task.told())


def _run(ask: Ask) -> Reply:
    found = ask.places["task"].lower() == SCAN_TASK_ID
    return _scan(ask) if found else problem(HTTPStatus.NOT_FOUND)


ROUTES = (
    Route("GET", "/health", _health, Access.ANYONE),
    Route("GET", "/System/Info/Public", _public, Access.ANYONE),
    Route("GET", "/System/Info", _all),
    Route("GET", "/System/Ping", _ping, Access.ANYONE),
    Route("POST", "/System/Ping", _ping, Access.ANYONE),
    Route("GET", "/System/ActivityLog/Entries", _activity, Access.ADMIN),
    Route("POST", "/Library/Refresh", _scan, Access.ADMIN),
    Route("GET", "/ScheduledTasks", _tasks, Access.ADMIN),
    Route("GET", "/ScheduledTasks/{task}", _task, Access.ADMIN),
    Route("POST", "/ScheduledTasks/Running/{task}", _run, Access.ADMIN),
)
