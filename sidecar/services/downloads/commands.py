"""Commands on downloads that people may give, and the results that they get.

A refusal is a value with a sentence, never an exception. What a person may not see does not
exist for them: it is answered like what nobody has ever seen, by `NotVisible`, among many by
`not_found`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.states import Status
from sidecar.domain.undo import Reversal


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadCommand:
    """What is to be done.

    Attributes:
        from_zero: A retry throws away what it has.
        keep_part: A cancelled download leaves what it has: asked for again it goes on from there.
        priority: For `prioritise`: higher first.
        before: For `move`: the download that comes next then; 0 is behind all others.
        force: An admin does not wait for a cooldown.
        for_everyone: An admin cancels or deletes for all who hold it, not only for themself.
    """

    action: Action
    from_zero: bool = False
    keep_part: bool = False
    priority: int = 0
    before: int = 0
    force: bool = False
    for_everyone: bool = False


class ResultKind(StrEnum):
    """What came of it.

    `kept`: the person's own wish is gone, the download stays for others who want it.
    """

    DONE = "done"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REFUSED = "refused"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What came of one action on one download.

    Attributes:
        text: A sentence for people.
        code: For programs; None unless it was refused.
        until: When it becomes possible, if a time makes it so.
        undo: What takes it back; None if nothing does.
    """

    download_id: int
    result: ResultKind
    text: str
    code: str | None = None
    until: datetime | None = None
    undo: Reversal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The downloads that a person sees and that fit: for an action on many."""

    statuses: frozenset[Status] = frozenset()
    device_id: str | None = None
    owners: tuple[str, ...] = ()
    text: str = ""
    item_types: frozenset[str] = frozenset()


class AddResult(StrEnum):
    """What came of asking for one item."""

    QUEUED = "queued"
    EXISTS = "exists"
    REFUSED = "refused"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class QueuedDownload:
    """A download that was asked for.

    Attributes:
        position: Its place in the queue, from 1; None unless it is pending.
    """

    id: int
    status: Status
    position: int | None


@dataclass(frozen=True, slots=True)
class AddedItem:
    """What came of asking for one item, which may be a container of many.

    Attributes:
        code: For programs; None unless it was refused.
    """

    item_id: str
    title: str
    result: AddResult
    text: str
    downloads: Sequence[QueuedDownload] = ()
    code: str | None = None
