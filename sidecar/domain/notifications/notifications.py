"""What people are told where they are, and when: what has happened, what lasts, and quiet hours.

    conditions (a question, a full device, 31 new files) ─▶ due ─▶ one message for all ─▶ told
         gone again before it was due: nobody is told        quiet hours: it waits

A condition is told once, as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from types import MappingProxyType


class NotificationKind(StrEnum):
    """What a person may want to be told of."""

    READY = "ready"
    FULL = "full"
    QUESTION = "question"
    FAILED = "failed"
    SERVER = "server"
    SIGN_IN = "sign-in"
    BACKUP = "backup"
    WEEKLY = "weekly"


USUAL = frozenset(NotificationKind) - {NotificationKind.WEEKLY}
FOR_ADMINS = frozenset({NotificationKind.BACKUP})
# How long it must have lasted: what passes by itself is not told, and what comes one after the
# other is told together.
WAITS = MappingProxyType(
    {
        NotificationKind.READY: timedelta(minutes=2),
        NotificationKind.FULL: timedelta(minutes=2),
        NotificationKind.QUESTION: timedelta(minutes=2),
        NotificationKind.FAILED: timedelta(minutes=5),
        NotificationKind.SERVER: timedelta(minutes=15),
        NotificationKind.SIGN_IN: timedelta(minutes=2),
        NotificationKind.BACKUP: timedelta(minutes=2),
        NotificationKind.WEEKLY: timedelta(0),
    }
)
# Between two messages to one person.
APART = timedelta(minutes=5)
# When the week is summed up: on Mondays.
WEEKLY_AT = time(9)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something to tell.

    Attributes:
        key: Which one it is, among all of this person.
        text: A sentence for people.
        mark: What is remembered once it was told, so that it is not counted again.
    """

    key: str
    kind: NotificationKind
    text: str
    mark: int | str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered about one person.

    Attributes:
        since: When each present condition was first seen.
        told: The present conditions that were told.
        marks: The last mark of each key that was told.
        sent_at: When the last message was sent; None if none ever was.
    """

    since: Mapping[str, datetime] = field(default_factory=dict)
    told: frozenset[str] = frozenset()
    marks: Mapping[str, int | str] = field(default_factory=dict)
    sent_at: datetime | None = None


def look(memory: Memory, present: Iterable[Condition], now: datetime) -> Memory:
    """Return the memory with what is present now, and without what is over.

    What was first seen in the future, before the clock was put back, is seen first now.
    """
    keys = {one.key for one in present}
    since = {key: min(memory.since.get(key, now), now) for key in sorted(keys)}
    return replace(memory, since=since, told=memory.told & keys)


def choose_due(
    memory: Memory, present: Iterable[Condition], kinds: Collection[NotificationKind], now: datetime
) -> Sequence[Condition]:
    """Return what is to be told now, in the order of the kinds; quiet hours are not its concern."""
    if memory.sent_at is not None and timedelta(0) <= now - memory.sent_at < APART:
        return ()
    due = [
        one
        for one in present
        if one.kind in kinds
        and one.key not in memory.told
        and (one.mark == "" or memory.marks.get(one.key) != one.mark)
        and now - memory.since.get(one.key, now) >= WAITS[one.kind]
    ]
    order = list(NotificationKind)
    return sorted(due, key=lambda one: order.index(one.kind))


def pass_over(
    memory: Memory, present: Iterable[Condition], kinds: Collection[NotificationKind]
) -> Memory:
    """Return the memory without what is counted of kinds that the person is not told of."""
    return _mark(memory, (one for one in present if one.kind not in kinds))


def note_told(memory: Memory, told: Iterable[Condition], now: datetime) -> Memory:
    """Return the memory after these were told.

    What is counted begins anew: more of it is another condition, even if it comes at once.
    """
    told = tuple(told)
    counted = {one.key for one in told if one.mark != ""}
    keys = {one.key for one in told} - counted
    since = {key: at for key, at in memory.since.items() if key not in counted}
    return replace(
        _mark(memory, told), since=since, told=(memory.told | keys) - counted, sent_at=now
    )


def _mark(memory: Memory, done: Iterable[Condition]) -> Memory:
    marks = {one.key: one.mark for one in done if one.mark != ""}
    return replace(memory, marks={**memory.marks, **marks})


def name_week(now: datetime, zone: tzinfo) -> str:
    """Return the week that is summed up next or was last: a new one from Monday morning on."""
    hours = timedelta(hours=WEEKLY_AT.hour, minutes=WEEKLY_AT.minute)
    year, week, _ = (now.astimezone(zone).replace(tzinfo=None) - hours).isocalendar()
    return f"{year}-{week:02}"
