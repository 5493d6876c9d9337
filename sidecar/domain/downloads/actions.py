"""Decides which actions are possible for a download in each state.

                pending     downloading  paused      completed   failed      removed
    pause       goes        goes         is so       -           -           -
    resume      is so       is so        goes        -           -           -
    retry       cooldown*   is so        -           -           cooldown*   goes
    cancel      goes        goes         goes        -           goes        is so
    delete      goes        goes         goes        goes        goes        is so
    prioritise  goes        -            -           -           -           -
    accept      unproved**  -           -           -           unproved**  -
    top, move   goes        is so        -           -           -           -
    let go      -           -            -           goes        -           is so

*goes*: possible. *is so*: fulfilled already, as after a second click: nothing changes, and it is no
error. *cooldown*: refused with the time when it becomes possible, unless an admin forces it; a
pending download without a cooldown *is so*. *unproved*: only for a file whose length differs from
the scan's and that could not be proved whole, cooldown or not. *-*: refused, with a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType

from sidecar.domain.downloads.download import UNPROVED, Download, Status
from sidecar.messages import msg


class Action(StrEnum):
    """An action that a person can request."""

    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    CANCEL = "cancel"
    DELETE = "delete"
    PRIORITISE = "prioritise"
    TOP = "top"
    MOVE = "move"
    LET_GO = "let_go"
    ACCEPT = "accept"


REORDERING = frozenset({Action.PRIORITISE, Action.TOP, Action.MOVE})


class ActionVerdict(Enum):
    """Whether the action is done, or is fulfilled already."""

    GO = "go"
    IS_SO = "is so"


@dataclass(frozen=True, slots=True)
class ActionRefusal:
    """The action is refused.

    Attributes:
        code: For programs.
        text: For people: the reason, and what they can do.
        until: When it becomes possible; None if waiting does not help.
    """

    code: str
    text: str
    until: datetime | None = None


_ALL_BUT_REMOVED = frozenset(Status) - {Status.REMOVED}

GOES = MappingProxyType(
    {
        Action.PAUSE: frozenset({Status.PENDING, Status.DOWNLOADING}),
        Action.RESUME: frozenset({Status.PAUSED}),
        Action.RETRY: frozenset({Status.PENDING, Status.FAILED, Status.REMOVED}),
        Action.CANCEL: _ALL_BUT_REMOVED - {Status.COMPLETED},
        Action.DELETE: _ALL_BUT_REMOVED,
        Action.PRIORITISE: frozenset({Status.PENDING}),
        Action.TOP: frozenset({Status.PENDING}),
        Action.MOVE: frozenset({Status.PENDING}),
        Action.LET_GO: frozenset({Status.COMPLETED}),
        Action.ACCEPT: frozenset({Status.PENDING, Status.FAILED}),
    }
)
IS_SO = MappingProxyType(
    {
        Action.PAUSE: frozenset({Status.PAUSED}),
        Action.RESUME: frozenset({Status.PENDING, Status.DOWNLOADING}),
        Action.RETRY: frozenset({Status.DOWNLOADING}),
        Action.CANCEL: frozenset({Status.REMOVED}),
        Action.DELETE: frozenset({Status.REMOVED}),
        Action.PRIORITISE: frozenset[Status](),
        Action.TOP: frozenset({Status.DOWNLOADING}),
        Action.MOVE: frozenset({Status.DOWNLOADING}),
        Action.LET_GO: frozenset({Status.REMOVED}),
        Action.ACCEPT: frozenset[Status](),
    }
)
_WHY_NOT = MappingProxyType(
    {
        Status.PENDING: ("waiting", msg("still waits in the queue")),
        Status.DOWNLOADING: ("running", msg("is being downloaded right now")),
        Status.PAUSED: ("paused", msg("is paused: resume it first")),
        Status.COMPLETED: ("completed", msg("is on the device already")),
        Status.FAILED: ("failed", msg("has failed: retry it")),
        Status.REMOVED: (
            "removed",
            msg("is not on the device any more: retry it to download it again"),
        ),
    }
)


def judge(
    action: Action, download: Download, now: datetime, *, force: bool = False
) -> ActionVerdict | ActionRefusal:
    """Decide whether an action is possible for a download.

    Args:
        action: The requested action.
        download: As it is now.
        now: The time, to compare cooldowns with.
        force: An admin overrides the cooldown.
    """
    if download.status in IS_SO[action]:
        return ActionVerdict.IS_SO
    if download.status not in GOES[action]:
        return _refuse(action, download)
    if action is Action.RETRY:
        return _retry(download, now, force=force)
    if action is Action.ACCEPT:
        return _accept(download)
    return ActionVerdict.GO


def refuse_finishing(download: Download) -> ActionRefusal:
    """Return the refusal for a download that is being finalized."""
    text = msg(
        "{title} is just being finished: try again in a few seconds, or when its device is back",
        title=download.title,
    )
    return ActionRefusal("finishing", text)


def _retry(download: Download, now: datetime, *, force: bool) -> ActionVerdict | ActionRefusal:
    until = download.retry_next_at
    cools_down = until is not None and until > now
    if cools_down and not force:
        text = msg(
            "{title} failed a moment ago and is tried again by itself; before that "
            "time it cannot be retried",
            title=download.title,
        )
        return ActionRefusal("cooling-down", text, until)
    if download.status is Status.PENDING and not cools_down:
        return ActionVerdict.IS_SO
    return ActionVerdict.GO


def _accept(download: Download) -> ActionVerdict | ActionRefusal:
    if download.error_code == UNPROVED and download.validator is not None:
        return ActionVerdict.GO
    if download.accepted is not None and download.accepted == download.validator:
        return ActionVerdict.IS_SO
    text = msg(
        "{title} has nothing to be accepted: no file of another length came for it",
        title=download.title,
    )
    return ActionRefusal("nothing-to-accept", text)


def _refuse(action: Action, download: Download) -> ActionRefusal:
    code, why = _WHY_NOT[download.status]
    if (action, download.status) == (Action.CANCEL, Status.COMPLETED):
        why = msg("is on the device already: delete it instead")
    return ActionRefusal(code, msg("{title} {what}", title=download.title, what=why))
