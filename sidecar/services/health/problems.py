"""Present problems of the server, of accounts and of devices. One message for each.

Workers check before they claim a download. The code that finds a problem notes it and the code
that finds it solved clears it, which resumes the work. Kept in memory only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from sidecar.events import Bus, DeviceChanged, NoticesChanged, WorkArrived


class ProblemKind(StrEnum):
    """What has the problem. `ROOM`, `SYNCTHING` and `BACKUP` stop no other work."""

    SERVER = "server"
    ACCOUNT = "account"
    DEVICE = "device"
    ROOM = "room"
    SYNCTHING = "syncthing"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True)
class Problem:
    """A state that needs attention.

    Attributes:
        code: Short and stable: `server-away`, `wrong-server`, `signed-out`, `full` …
        text: For people: what, why, what to do.
        needed: Bytes that must be free before a full device is tried again; 0 if it is not full.
    """

    code: str
    text: str
    needed: int = 0


class Problems:
    """All present problems, by kind and subject (an id). Safe for many threads."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._lock = Lock()
        self._problems: dict[tuple[ProblemKind, str], Problem] = {}

    def note(self, kind: ProblemKind, subject: str, trouble: Problem) -> bool:
        """Record a problem; return whether it differs from the one recorded before."""
        with self._lock:
            if self._problems.get((kind, subject)) == trouble:
                return False
            self._problems[kind, subject] = trouble
        self._tell(kind, subject)
        return True

    def clear(self, kind: ProblemKind, subject: str) -> bool:
        """Remove a problem that is solved; return whether there was one."""
        with self._lock:
            if self._problems.pop((kind, subject), None) is None:
                return False
        self._tell(kind, subject)
        self._bus.publish(WorkArrived())
        return True

    def of(self, kind: ProblemKind, subject: str) -> Problem | None:
        """Return the present problem of one subject; None if it has none."""
        with self._lock:
            return self._problems.get((kind, subject))

    def all_of(self, kind: ProblemKind) -> Mapping[str, Problem]:
        """Return the present problems of one kind, by subject."""
        with self._lock:
            return {subject: one for (of, subject), one in self._problems.items() if of is kind}

    def _tell(self, kind: ProblemKind, subject: str) -> None:
        if kind is ProblemKind.DEVICE:
            self._bus.publish(DeviceChanged(subject))
        self._bus.publish(NoticesChanged())
