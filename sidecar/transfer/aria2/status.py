"""The status of one download in aria2, as the last answer or notification gave it."""

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
    """What aria2 says of a download; `ended_failure` is ours: that aria2 has ended."""

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
    """One download of ours in aria2.

    Attributes:
        code: aria2's error number; 0 if there is none.
        words: aria2's own words for it.
    """

    stage: Stage
    code: int = 0
    words: str = ""

    @property
    def is_over(self) -> bool:
        """Whether aria2 takes no more bytes for it."""
        return self.stage not in AT_WORK

    def failure(self) -> Failure:
        """Return what it means that aria2 took no more bytes although there were more."""
        match self.stage:
            case Stage.REMOVED:
                return removed_failure()
            case Stage.PAUSED:
                return paused_failure()
            case Stage.GONE | Stage.ACTIVE | Stage.WAITING:
                # It hung up without a word: it has ended, and we have not heard of that yet.
                return ended_failure()
            case _:
                return judge(self.code or 1, self.words)


def read_status(answer: object) -> Aria2Status:
    """Read an answer to `tellStatus`; one that aria2 does not know was cleared by somebody."""
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
