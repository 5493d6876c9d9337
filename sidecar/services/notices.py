"""Notices: what a person should know now, on every page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know now.

    Attributes:
        kind: `server`, `account`, `device` or `hearts`.
        level: `info`, `warning` or `error`.
    """

    kind: str
    level: str
    text: str


class Subject(StrEnum):
    """What is asked about."""

    REMOVALS = "removals"
    PLAN = "plan"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A question about a device.

    Attributes:
        text: A sentence for people.
        missing: How many files it says are missing.
        may_answer: Whether this person's answer counts; others are only told.
    """

    subject: Subject
    device_id: str
    device_name: str
    text: str
    missing: int = 0
    may_answer: bool = True
