"""Answers about orders to other machines."""

from typing import Literal

from sidecar.web.api.schemas.base import Moment, Schema, taken_from


class Order(Schema):
    """Something that a machine was asked to do, and what became of it.

    `silent_since` says when the machine was last heard of, if that is too long ago; `answer` what
    was done or why not.
    """

    id: int
    device_id: str
    kind: str
    machine: str
    text: str
    state: Literal["open", "done", "refused", "failed", "expired"]
    made_at: Moment
    running: bool = taken_from("is_running")
    silent_since: Moment | None
    answer: str
