"""The bodies of what people ask to be done with downloads. Bounded, and nothing unknown passes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sidecar.domain.downloads.states import Status
from sidecar.domain.items import ItemType
from sidecar.web.request.json_body import Body

MOST_ITEMS = 100
MOST_IDS = 1000
MOST_OWNERS = 50
LARGEST_ID = 2**63 - 1
LARGEST_PRIORITY = 100


class From(StrEnum):
    """Where a retry begins."""

    PART = "part"
    ZERO = "zero"


class Bulk(StrEnum):
    """What can be done to many at once."""

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
    """Items to be fetched; `device` is a device's name, `device_id` its id: either will do."""

    item_id: ItemId | None = None
    item_ids: Annotated[tuple[ItemId, ...], Field(min_length=1, max_length=MOST_ITEMS)] | None = (
        None
    )
    device_id: Name | None = None
    device: Name | None = None
    priority: Priority | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.item_id is None) == (self.item_ids is None):
            raise ValueError("give item_id or item_ids")
        if self.device_id is not None and self.device is not None:
            raise ValueError("give device_id or device, not both")
        return self

    @property
    def items(self) -> tuple[str, ...]:
        """All that is asked for."""
        return self.item_ids or ((self.item_id,) if self.item_id else ())


class Nothing(Body):
    """There is nothing to be said."""


class Retry(Body):
    """How it is tried again; only an admin may force it in a cooldown."""

    start: Annotated[From, Field(alias="from", strict=False)] = From.PART
    force: bool = False


class Cancel(Body):
    """How it is cancelled; only an admin may do it for everyone who wants it."""

    keep_part: bool = False
    for_everyone: bool = False


class Delete(Body):
    """How it is deleted; only an admin may do it for everyone who wants it."""

    for_everyone: bool = False


class Prioritise(Body):
    """Higher first."""

    priority: Priority


class Move(Body):
    """Right before which other one; null is behind all others."""

    before: Id | None


class Filter(Body):
    """Which downloads: all that one sees and that fit. Empty fits all."""

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
        """All owners that are named."""
        return (self.owner,) if isinstance(self.owner, str) else self.owner


class Many(Body):
    """One thing for many downloads: these, or all that fit."""

    action: Annotated[Bulk, Field(strict=False)]
    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MOST_IDS)] | None = None
    filter: Filter | None = None
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
