"""Where one download of ours stands in aria2, as the last answer or notification told it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sidecar.domain.transfers.failures import Failure
from sidecar.transfer.aria2.codes import ended_failure, judge, paused_failure, removed_failure
from sidecar.transfer.aria2.rpc import RpcError

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
    if not isinstance(answer, Mapping) or answer.get("status") not in set(Stage):
        return Aria2Status(Stage.ERROR, 1, "an answer that makes no sense")
    code = str(answer.get("errorCode", "0"))
    return Aria2Status(
        Stage(str(answer["status"])),
        int(code) if code.isdigit() else 1,
        str(answer.get("errorMessage", "")),
    )
