"""The status of one download in aria2, parsed from aria2's answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sidecar.domain.transfers.failures import Failure
from sidecar.transfer.aria2.codes import ended_failure, judge, paused_failure, removed_failure
from sidecar.transfer.aria2.rpc import LONGEST_TEXT, RpcError

_NUMBER = re.compile("[0-9]{1,4}")
KEYS = ("gid", "status", "errorCode", "errorMessage")


class Stage(StrEnum):
    """The status that aria2 gives a download; `GONE` is our own: aria2 itself has ended."""

    ACTIVE = "active"
    WAITING = "waiting"
    PAUSED = "paused"
    ERROR = "error"
    COMPLETE = "complete"
    REMOVED = "removed"
    GONE = "gone"


AT_WORK = frozenset({Stage.ACTIVE, Stage.WAITING})


@dataclass(frozen=True, slots=True)
class Aria2Status:
    """The status of one of our downloads.

    Attributes:
        code: aria2's error code; 0 if there is none.
        words: aria2's own message for it.
    """

    stage: Stage
    code: int = 0
    words: str = ""

    @property
    def is_over(self) -> bool:
        """Whether aria2 takes no more bytes for the download."""
        return self.stage not in AT_WORK

    def failure(self) -> Failure:
        """Return the failure for a download that aria2 ended before it had all bytes."""
        match self.stage:
            case Stage.REMOVED:
                return removed_failure()
            case Stage.PAUSED:
                return paused_failure()
            case Stage.GONE | Stage.ACTIVE | Stage.WAITING:
                # The connection broke without a status: aria2 has ended and that is not known yet.
                return ended_failure()
            case _:
                return judge(self.code or 1, self.words)


def read_status(answer: object) -> Aria2Status:
    """Parse an answer to `tellStatus`; an unknown download was removed by somebody."""
    if isinstance(answer, RpcError):
        return Aria2Status(Stage.REMOVED)
    told = answer if isinstance(answer, Mapping) else {}
    stage, code, words = (
        told.get(name, usual)
        for name, usual in (("status", None), ("errorCode", "0"), ("errorMessage", ""))
    )
    if not (isinstance(stage, str) and stage in set(Stage) and isinstance(words, str)):
        return Aria2Status(Stage.ERROR, 1, "an answer that makes no sense")
    is_number = isinstance(code, str) and _NUMBER.fullmatch(code) is not None
    return Aria2Status(Stage(stage), int(code) if is_number else 1, words[:LONGEST_TEXT])
