"""Schemas of what happened."""

from pydantic import Field

from sidecar.services.activity.history import Happening
from sidecar.web.api.schemas.base import Moment, OfDevice, Schema


class ActivityReason(Schema):
    """Whom it concerned, and why the file was wanted."""

    account: str
    text: str | None


class Activity(OfDevice):
    """Something that happened to a file, or that a person confirmed."""

    id: int
    at: Moment
    kind: Happening
    item_id: str | None
    title: str
    artist: str | None
    item_type: str | None
    bytes: int | None
    by: str | None
    text: str | None
    reasons: list[ActivityReason] = Field(validation_alias="whys")


class ActivityPage(Schema):
    """Some entries, newest first; `older` is the `before` of the next request, null at the end."""

    items: list[Activity]
    older: int | None
