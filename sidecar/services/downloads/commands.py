"""The commands on downloads and their results, as values.

A refusal is a result with a sentence, not an exception. A download that a person may not see is
answered like one that does not exist: by `NotVisible`, or by `not_found` among several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Status
from sidecar.domain.undo import Reversal
from sidecar.store.downloads.queries import Turn

# So many are changed in one transaction: others write between two of them.
CHANGED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadCommand:
    """An action and its options.

    Attributes:
        from_zero: For a retry: discard the part file.
        keep_part: For a cancellation: keep the part file, so that a new request continues it.
        priority: For `prioritise`: higher first.
        before: For `move`: the id of the download to put it before; 0 puts it last.
        force: For an admin: do not wait for a cooldown.
        for_everyone: For an admin: end it for all who hold it, not only for themself.
    """

    action: Action
    from_zero: bool = False
    keep_part: bool = False
    priority: int = 0
    before: int = 0
    force: bool = False
    for_everyone: bool = False


class ResultKind(StrEnum):
    """The kind of result of an action.

    `kept`: the person's own holds have ended, the download stays for others who want it.
    `asked`: the machine that has the device was asked to do it.
    """

    DONE = "done"
    ASKED = "asked"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REFUSED = "refused"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class ActionResult:
    """The result of one action on one download.

    Attributes:
        text: A sentence for people.
        code: For programs; None unless it was refused.
        until: When it becomes possible, for a refusal that ends by itself.
        undo: What takes it back; None if it cannot be undone.
    """

    download_id: int
    result: ResultKind
    text: str
    code: str | None = None
    until: datetime | None = None
    undo: Reversal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A filter for the downloads that an action applies to; what is empty means any."""

    statuses: frozenset[Status] = frozenset()
    device_id: str | None = None
    owners: tuple[str, ...] = ()
    text: str = ""
    item_types: frozenset[str] = frozenset()


class AddResult(StrEnum):
    """The kind of result of adding one item."""

    QUEUED = "queued"
    EXISTS = "exists"
    REFUSED = "refused"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class AddedItem:
    """The result of adding one item, which may be a container of many.

    Attributes:
        downloads: Its downloads, each with its place in the queue.
        code: For programs; None unless it was refused.
        device: The name of the device; empty if there is none.
        queued: How many downloads are new in the queue.
        undo: What takes it back; None if there is nothing to take back.
    """

    item_id: str
    title: str
    result: AddResult
    text: str
    downloads: Sequence[Turn] = ()
    code: str | None = None
    device: str = ""
    queued: int = 0
    undo: Reversal | None = None
