"""Notices and open questions, as every page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sidecar.messages import msg

QUESTION_CHANGED = msg("The question has changed since it was shown: answer it as it is now")


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that is shown on every page while its cause lasts.

    Attributes:
        kind: What it is about: `server`, `account`, `device`, `room` and others.
        level: `info`, `warning` or `error`.
        device_id: The device that it is about; empty if it is about none.
        code: The code of the problem that it tells of; empty if it tells of none.
        account_id: The account that it is about, if something can be done for it.
        library: The name of the library that it is about.
    """

    kind: str
    level: str
    text: str
    device_id: str = ""
    code: str = ""
    account_id: str = ""
    library: str = ""


class Subject(StrEnum):
    """What a question is about."""

    REMOVALS = "removals"
    PLAN = "plan"
    IDENTITY = "identity"
    SELECTION = "selection"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A question about a device.

    Attributes:
        text: A sentence for people.
        missing: How many files it says are missing.
        version: What tells it from a later one about other files, for those that are answered
            where they are shown.
        selection_id: The saved filter that it is about, if it is about one.
        may_answer: Whether this person may answer; others only see it.
    """

    subject: Subject
    device_id: str
    device_name: str
    text: str
    missing: int = 0
    version: str = ""
    selection_id: str = ""
    may_answer: bool = True
