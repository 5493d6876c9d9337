"""`/api/v1/downloads` and `/undo`: adds downloads, acts on them, and takes actions back.

Actions are idempotent: one that was already done answers 200. An action that the download's state
does not allow answers 409 with a code; a download that does not exist, or that the person may not
see, answers 404.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Self

from flask import Response
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Status
from sidecar.domain.items.item import ItemType
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.commands import (
    AddedItem,
    AddResult,
    DownloadCommand,
    ResultKind,
    Selection,
)
from sidecar.web.actions import LONGEST_TOKEN, MOST_ITEMS, take_back
from sidecar.web.api.downloads.listing import ONE
from sidecar.web.api.endpoints import Endpoints, json_reply
from sidecar.web.api.schemas import downloads as schemas
from sidecar.web.api.schemas.base import moment
from sidecar.web.request.errors import ApiError
from sidecar.web.request.json_body import Body, NoBody
from sidecar.web.request.query_params import LARGEST_ID, MOST_OWNERS
from sidecar.web.security.auth import person
from sidecar.web.security.permissions import Role
from sidecar.web.services import WebServices

MOST_SHOWN = 100
MOST_IDS = 1000
LARGEST_PRIORITY = 100

actions = Endpoints("actions")


class From(StrEnum):
    """Whether a retry continues the part file or starts at byte zero."""

    PART = "part"
    ZERO = "zero"


class Bulk(StrEnum):
    """An action that can be applied to many downloads at once."""

    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    CANCEL = "cancel"
    DELETE = "delete"
    PRIORITISE = "prioritise"
    CLEAR_COMPLETED = "clear_completed"


def _plain(item_id: str) -> str:
    return item_id.replace("-", "").lower()


ItemId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\z"),
    AfterValidator(_plain),
]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Priority = Annotated[int, Field(ge=0, le=LARGEST_PRIORITY)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Add(Body):
    """Items to fetch; the device is given by its name (`device`) or by its id (`device_id`).

    A whole library is refused with the code `whole-library` and what it holds, unless `whole`.
    """

    item_id: ItemId | None = None
    item_ids: Annotated[tuple[ItemId, ...], Field(min_length=1, max_length=MOST_ITEMS)] | None = (
        None
    )
    device_id: Name | None = None
    device: Name | None = None
    priority: Priority | None = None
    whole: bool = False

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.item_id is None) == (self.item_ids is None):
            raise ValueError("give item_id or item_ids")
        if self.device_id is not None and self.device is not None:
            raise ValueError("give device_id or device, not both")
        return self

    @property
    def items(self) -> tuple[str, ...]:
        """The ids of all items asked for."""
        return self.item_ids or ((self.item_id,) if self.item_id else ())


class Retry(Body):
    """Options of a retry; only admins may force one during a cooldown."""

    start: Annotated[From, Field(alias="from", strict=False)] = From.PART
    force: bool = False


class Cancel(Body):
    """Options of a cancellation; only admins may cancel for everyone who wants the item."""

    keep_part: bool = False
    for_everyone: bool = False


class Delete(Body):
    """Options of a deletion; only admins may delete for everyone who wants the item."""

    for_everyone: bool = False


class Prioritise(Body):
    """The new priority; higher ones are fetched first."""

    priority: Priority


class Move(Body):
    """The download to move in front of; null moves to the end of the queue."""

    before: Id | None


class DownloadFilter(Body):
    """Selects downloads among those that you may see; an empty filter selects all."""

    status: Annotated[
        tuple[Annotated[Status, Field(strict=False)], ...], Field(max_length=len(Status))
    ] = ()
    device_id: Name | None = None
    owner: Annotated[tuple[Name, ...], Field(max_length=MOST_OWNERS)] | Name = ()
    type: Annotated[
        tuple[Annotated[ItemType, Field(strict=False)], ...], Field(max_length=len(ItemType))
    ] = ()
    q: Annotated[str, Field(max_length=200)] = ""

    @property
    def owners(self) -> tuple[str, ...]:
        """The named owners, always as a tuple."""
        return (self.owner,) if isinstance(self.owner, str) else self.owner

    @property
    def selection(self) -> Selection:
        """The filter as the service takes it."""
        return Selection(
            statuses=frozenset(self.status),
            device_id=self.device_id,
            owners=self.owners,
            text=self.q,
            item_types=frozenset(self.type),
        )


class Many(Body):
    """One action for many downloads, given by their ids or by a filter."""

    action: Annotated[Bulk, Field(strict=False)]
    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MOST_IDS)] | None = None
    filter: DownloadFilter | None = None
    start: Annotated[From, Field(alias="from", strict=False)] = From.PART
    force: bool = False
    keep_part: bool = False
    priority: Priority | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give ids or filter")
        if self.action is Bulk.DELETE and self.ids is None:
            raise ValueError("files are deleted by their ids, not by a filter")
        if self.action is Bulk.PRIORITISE and self.priority is None:
            raise ValueError("give the priority")
        return self


ActionAnswer = schemas.Acted | schemas.Gone


@actions.post(
    "/downloads",
    role=Role.SIGNED_IN,
    body=Add,
    returns=schemas.Added,
    status=HTTPStatus.CREATED,
    also=HTTPStatus.OK,
)
def add(services: WebServices, body: Add) -> Response:
    """Queue downloads of items; albums, playlists and other containers are expanded."""
    who = person()
    added = services.actions.add(
        who,
        body.items,
        device=body.device_id or body.device,
        priority=body.priority,
        whole=body.whole,
    )
    results = {one.result for one in added}
    if results <= {AddResult.REFUSED, AddResult.NOT_FOUND}:
        unknown = results == {AddResult.NOT_FOUND}
        status = HTTPStatus.NOT_FOUND if unknown else HTTPStatus.CONFLICT
        raise ApiError(status, f"{added[0].text}.", facts={"code": added[0].code})
    status = HTTPStatus.CREATED if AddResult.QUEUED in results else HTTPStatus.OK
    return json_reply(schemas.Added, _added(services, who, added), status)


@actions.post("/downloads/bulk", role=Role.SIGNED_IN, body=Many, returns=schemas.BulkOutcomes)
def bulk(services: WebServices, body: Many) -> schemas.BulkOutcomes:
    """Apply one action to many downloads."""
    who = person()
    names_owners = body.filter is not None and bool(body.filter.owners)
    _check_admin(who, asked=body.force or names_owners)
    command = DownloadCommand(
        action=Action.LET_GO if body.action is Bulk.CLEAR_COMPLETED else Action(body.action.value),
        from_zero=body.start is From.ZERO,
        keep_part=body.keep_part,
        priority=body.priority or 0,
        force=body.force,
    )
    if body.filter is None:
        outcomes = services.actions.act_on(who, body.ids or (), command)
    else:
        outcomes = services.actions.act_on_all(who, body.filter.selection, command)
    counted = Counter(one.result.value for one in outcomes)
    return schemas.BulkOutcomes(
        items=[schemas.BulkOutcome.model_validate(one) for one in outcomes],
        total=len(outcomes),
        page=1,
        page_size=len(outcomes),
        counts={one.value: counted[one.value] for one in ResultKind},
        undo=schemas.UndoToken.of(services.undo.remember(who, command.action, outcomes)),
    )


@actions.post(
    f"{ONE}/pause",
    role=Role.SIGNED_IN,
    body=NoBody,
    may_be_empty=True,
    returns=ActionAnswer,
)
def pause(services: WebServices, download_id: int, body: NoBody) -> ActionAnswer:  # noqa: ARG001
    """Pause a download."""
    return _act(services, download_id, DownloadCommand(action=Action.PAUSE))


@actions.post(
    f"{ONE}/resume",
    role=Role.SIGNED_IN,
    body=NoBody,
    may_be_empty=True,
    returns=ActionAnswer,
)
def resume(services: WebServices, download_id: int, body: NoBody) -> ActionAnswer:  # noqa: ARG001
    """Resume a download."""
    return _act(services, download_id, DownloadCommand(action=Action.RESUME))


@actions.post(
    f"{ONE}/retry",
    role=Role.SIGNED_IN,
    body=Retry,
    may_be_empty=True,
    returns=ActionAnswer,
)
def retry(services: WebServices, download_id: int, body: Retry) -> ActionAnswer:
    """Retry a download."""
    from_zero = body.start is From.ZERO
    command = DownloadCommand(action=Action.RETRY, from_zero=from_zero, force=body.force)
    return _act(services, download_id, command)


@actions.post(
    f"{ONE}/accept",
    role=Role.SIGNED_IN,
    body=NoBody,
    may_be_empty=True,
    returns=ActionAnswer,
)
def accept(services: WebServices, download_id: int, body: NoBody) -> ActionAnswer:  # noqa: ARG001
    """Accept a file although its size differs from the one in the library."""
    return _act(services, download_id, DownloadCommand(action=Action.ACCEPT))


@actions.post(
    f"{ONE}/cancel",
    role=Role.SIGNED_IN,
    body=Cancel,
    may_be_empty=True,
    returns=ActionAnswer,
)
def cancel(services: WebServices, download_id: int, body: Cancel) -> ActionAnswer:
    """Cancel a download."""
    command = DownloadCommand(
        action=Action.CANCEL, keep_part=body.keep_part, for_everyone=body.for_everyone
    )
    return _act(services, download_id, command)


@actions.delete(
    ONE,
    role=Role.SIGNED_IN,
    body=Delete,
    may_be_empty=True,
    returns=ActionAnswer,
)
def delete(services: WebServices, download_id: int, body: Delete) -> ActionAnswer:
    """Delete a download's file."""
    command = DownloadCommand(action=Action.DELETE, for_everyone=body.for_everyone)
    return _act(services, download_id, command)


@actions.post(
    f"{ONE}/prioritise",
    role=Role.SIGNED_IN,
    body=Prioritise,
    returns=ActionAnswer,
)
def prioritise(services: WebServices, download_id: int, body: Prioritise) -> ActionAnswer:
    """Set the priority of a download."""
    command = DownloadCommand(action=Action.PRIORITISE, priority=body.priority)
    return _act(services, download_id, command)


@actions.post(
    f"{ONE}/top",
    role=Role.SIGNED_IN,
    body=NoBody,
    may_be_empty=True,
    returns=ActionAnswer,
)
def top(services: WebServices, download_id: int, body: NoBody) -> ActionAnswer:  # noqa: ARG001
    """Move a download to the top of the queue."""
    return _act(services, download_id, DownloadCommand(action=Action.TOP))


@actions.post(f"{ONE}/move", role=Role.SIGNED_IN, body=Move, returns=ActionAnswer)
def move(services: WebServices, download_id: int, body: Move) -> ActionAnswer:
    """Move a download in front of another one."""
    command = DownloadCommand(action=Action.MOVE, before=body.before or 0)
    return _act(services, download_id, command)


@actions.post(
    f"/undo/<string(maxlength={LONGEST_TOKEN}):token>",
    role=Role.SIGNED_IN,
    returns=schemas.Undone,
)
def undo(services: WebServices, token: str) -> schemas.Undone:
    """Undo an action, within ten minutes."""
    record = take_back(services, token)
    return schemas.Undone(action=record.action, files=record.total)


def _act(services: WebServices, download_id: int, command: DownloadCommand) -> ActionAnswer:
    who = person()
    _check_admin(who, asked=command.force or command.for_everyone)
    outcome = services.actions.act(who, download_id, command)
    if outcome.result is ResultKind.REFUSED:
        until = {"retry_next_at": moment(outcome.until)} if outcome.until else {}
        facts = {"code": outcome.code, **until}
        raise ApiError(HTTPStatus.CONFLICT, f"{outcome.text}.", facts=facts)
    there = services.downloads.some(who, [download_id])
    undo = schemas.UndoToken.of(services.undo.remember(who, command.action, [outcome]))
    result, message = outcome.result.value, outcome.text
    if not there:
        return schemas.Gone(id=download_id, result=result, message=message, undo=undo)
    shown = dict(schemas.Download.model_validate(there[0]))
    return schemas.Acted(**shown, result=result, message=message, undo=undo)


def _added(services: WebServices, who: Person, added: Sequence[AddedItem]) -> schemas.Added:
    ids = list(dict.fromkeys(ref.id for one in added for ref in one.downloads))
    views = services.downloads.some(who, ids[:MOST_SHOWN])
    return schemas.Added(
        items=[schemas.Download.model_validate(one) for one in views],
        total=len(ids),
        page=1,
        page_size=MOST_SHOWN,
        results=[schemas.Addition.model_validate(one) for one in added],
    )


def _check_admin(who: Person, *, asked: bool) -> None:
    if asked and not who.is_admin:
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "Only an admin may force this, do it for everyone or choose by owner.",
            facts={"code": "admins-only"},
        )
