"""Failures of a transfer: a class that decides what happens next, and a message for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sidecar.errors import SidecarError


class FailureClass(StrEnum):
    """The class of a failure: what it concerns, and so what happens next."""

    TRANSIENT = "transient"
    CHANGED = "changed"
    SIGNED_OUT = "signed-out"
    OUTSIDE_HOURS = "outside-hours"
    REFUSED = "refused"
    FILE_AWAY = "file-away"
    EMPTY = "empty"
    UNPROVED = "unproved"
    GONE = "gone"
    BLOCKED = "blocked"
    DEVICE = "device"
    SERVER_AWAY = "server-away"


@dataclass(frozen=True, slots=True)
class Failure:
    """The failure of one attempt.

    Attributes:
        kind: Decides what happens next.
        code: Short, stable, for scripts and the page: `short-body`, `http-503`, `full` …
        message: For people: what happened and to what.
        retry_after_s: Seconds the server asked for; None if it did not.
    """

    kind: FailureClass
    code: str
    message: str
    retry_after_s: float | None = None


class TransferFailed(SidecarError):
    """One attempt at one file ended without a whole file.

    Attributes:
        failure: The cause.
        gained: Bytes that this attempt added to the part file.
    """

    def __init__(self, failure: Failure, *, gained: int = 0) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.gained = gained
