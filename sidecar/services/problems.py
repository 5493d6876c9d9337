"""Problems that stop something now: the server, an account or a device. One message for each.

Workers ask before they claim; whoever finds a trouble notes it, whoever sees it cured clears it,
and then the work goes on by itself. Nothing here is stored: after a restart it is found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from sidecar.events import Bus, DeviceChanged, NoticesChanged, WorkArrived


class ProblemKind(StrEnum):
    """What is troubled; that there is no room, or no word of Syncthing, stops nothing else."""

    SERVER = "server"
    ACCOUNT = "account"
    DEVICE = "device"
    ROOM = "room"
    SYNCTHING = "syncthing"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that stands in the way.

    Attributes:
        code: Short and stable: `server-away`, `wrong-server`, `signed-out`, `full` …
        text: For people: what, why, what to do.
        needed: Bytes that must be free before a full device is worth another look.
    """

    code: str
    text: str
    needed: int = 0


class Problems:
    """All present troubles, by kind and by the id of what is troubled. Safe for many threads."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._lock = Lock()
        self._problems: dict[tuple[ProblemKind, str], Problem] = {}

    def note(self, kind: ProblemKind, subject: str, trouble: Problem) -> bool:
        """Remember a trouble; return whether it is news."""
        with self._lock:
            if self._problems.get((kind, subject)) == trouble:
                return False
            self._problems[kind, subject] = trouble
        self._tell(kind, subject)
        return True

    def clear(self, kind: ProblemKind, subject: str) -> bool:
        """Forget a trouble that is cured; return whether there was one."""
        with self._lock:
            if self._problems.pop((kind, subject), None) is None:
                return False
        self._tell(kind, subject)
        self._bus.publish(WorkArrived())
        return True

    def of(self, kind: ProblemKind, subject: str) -> Problem | None:
        """Return the present trouble of one subject."""
        with self._lock:
            return self._problems.get((kind, subject))

    def all_of(self, kind: ProblemKind) -> Mapping[str, Problem]:
        """Return the present troubles of one kind, by subject."""
        with self._lock:
            return {subject: one for (of, subject), one in self._problems.items() if of is kind}

    def _tell(self, kind: ProblemKind, subject: str) -> None:
        if kind is ProblemKind.DEVICE:
            self._bus.publish(DeviceChanged(subject))
        self._bus.publish(NoticesChanged())
