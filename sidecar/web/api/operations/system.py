"""`/api/v1/server`, `/log`, `/tasks`, `/backups`, `/transfers` and `/notices`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from flask import Response, send_file
from pydantic import Field

from sidecar.services.health.notices import Notice
from sidecar.services.health.system_status import LogLine, SystemStatusView
from sidecar.services.operations.backups.nightly import BackupFile
from sidecar.services.operations.task_list import TaskView
from sidecar.services.transfers.policy.status import TransfersView
from sidecar.web.api.endpoints import PREFIX, Endpoints
from sidecar.web.api.schemas import notices as notices_schemas
from sidecar.web.api.schemas import users as schemas
from sidecar.web.api.schemas.base import Listed
from sidecar.web.api.schemas.downloads import Transfers
from sidecar.web.request.json_body import Body
from sidecar.web.request.query_params import (
    LARGEST_PAGE,
    LOG_LEVELS,
    PageQuery,
    Text,
    one_of,
    whole_number,
)
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

system = Endpoints("system")
transfers = Endpoints("transfers", f"{PREFIX}/transfers")

Limit = Annotated[int, Field(ge=1024, le=10**12)]


class LogQuery(PageQuery):
    """Filters of the log; without a level, all records."""

    level: Annotated[str | None, one_of(LOG_LEVELS, may_be_empty=True)] = None
    q: Text = ""
    page_size: Annotated[int, whole_number(LARGEST_PAGE, default=LARGEST_PAGE)] = LARGEST_PAGE


class TransfersChange(Body):
    """Changes to the transfers; fields that are left out stay as they are.

    Attributes:
        speed_limit: Bytes per second; null for no limit, "usual" for the configured one.
    """

    paused: bool | None = None
    speed_limit: Literal["usual"] | Limit | None = None


@system.get("/notices", role=Role.SIGNED_IN, returns=Listed[notices_schemas.Notice])
def notices(services: WebServices) -> Sequence[Notice]:
    """List the notices for you."""
    return services.notices.notices(person())


@system.get("/server", role=Role.ADMIN, returns=schemas.SystemReport)
def server(services: WebServices) -> SystemStatusView:
    """Show the state of the server, the engine and the database."""
    return services.system.view()


@system.get("/support", role=Role.ADMIN, media="application/zip")
def support(services: WebServices) -> Response:
    """Get what helps to find a fault in one file, without passwords, tokens and keys."""
    name = 'attachment; filename="jellyfin-sidecar-support.zip"'
    return Response(
        services.support.make(),
        mimetype="application/zip",
        headers={"Content-Disposition": name},
    )


@system.get("/tasks", role=Role.ADMIN, returns=Listed[schemas.Task])
def tasks(services: WebServices) -> Sequence[TaskView]:
    """List what is done regularly, how it ended last, and when it is due again."""
    return services.tasks.all()


@system.post("/tasks/<string(maxlength=80):task_id>/run", role=Role.ADMIN)
def run_task(services: WebServices, task_id: str) -> None:
    """Have a task done soon, in whatever process does it."""
    services.tasks.run_now(task_id)


@system.get("/backups", role=Role.ADMIN, returns=Listed[schemas.Backup])
def backups(services: WebServices) -> Sequence[BackupFile]:
    """List the nightly backups that this process makes, newest first."""
    return services.backups.files()


@system.get("/backups/<string(maxlength=80):name>", role=Role.ADMIN, media="application/zip")
def backup(services: WebServices, name: str) -> Response:
    """Get a backup, for `jellyfin-sidecar restore` on whatever machine."""
    return send_file(services.backups.find(name), as_attachment=True)


@system.get("/log", role=Role.ADMIN, query=LogQuery, returns=Listed[schemas.LogLine])
def log(services: WebServices, query: LogQuery) -> Listed[LogLine]:
    """List recent log records, newest first."""
    found = services.system.log(query.level, query.q)
    first = (query.page - 1) * query.page_size
    return Listed[LogLine](
        items=list(found[first : first + query.page_size]),
        total=len(found),
        page=query.page,
        page_size=query.page_size,
    )


@transfers.get("", role=Role.SIGNED_IN, returns=Transfers)
def show_transfers(services: WebServices) -> TransfersView:
    """Show whether transfers may run now, and their speed limit."""
    return services.transfers.transfers(person())


@transfers.patch("", role=Role.ADMIN, body=TransfersChange, returns=Transfers)
def change(services: WebServices, body: TransfersChange) -> TransfersView:
    """Pause or limit transfers."""
    if body.paused is not None:
        services.transfers.pause(paused=body.paused)
    if isinstance(body.speed_limit, str):
        services.transfers.as_usual()
    elif "speed_limit" in body.model_fields_set:
        services.transfers.limit(body.speed_limit)
    return services.transfers.transfers(person())
