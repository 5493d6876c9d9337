"""Present problems of the server, of accounts and of devices. One message for each.

Workers check before they claim a download. The code that finds a problem notes it and the code
that finds it solved clears it, which resumes the work. Kept in memory only.

What other processes have found is shown here and stops nothing here: another machine may not reach
what this one does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock

from sidecar.events import Bus, DeviceChanged, NoticesChanged, WorkArrived
from sidecar.messages import listed, msg
from sidecar.services.processes.findings import Told


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


# Those of a device are told by the machine that has it.
OF_ALL = (ProblemKind.SERVER, ProblemKind.ACCOUNT, ProblemKind.BACKUP)


class Problems:
    """All present problems, by kind and subject (an id). Safe for many threads."""

    def __init__(self, bus: Bus, machine: str = "") -> None:
        """Prepare; `machine` is where this process runs."""
        self._bus = bus
        self._machine = machine
        self._lock = Lock()
        self._problems: dict[tuple[ProblemKind, str], Problem] = {}
        self._told: Mapping[tuple[ProblemKind, str], Problem] = {}

    def note(self, kind: ProblemKind, subject: str, trouble: Problem) -> bool:
        """Record a problem; return whether it differs from the one recorded before."""
        with self._lock:
            if self._problems.get((kind, subject)) == trouble:
                return False
            self._problems[kind, subject] = trouble
        self._tell(kind, subject)
        return True

    def clear(self, kind: ProblemKind, subject: str, *, seen: Problem | None = None) -> bool:
        """Remove a problem that is solved; return whether there was one.

        With `seen` only that one: another that was noted meanwhile stays.
        """
        with self._lock:
            found = self._problems.get((kind, subject))
            if found is None or (seen is not None and found != seen):
                return False
            del self._problems[kind, subject]
        self._tell(kind, subject)
        self._bus.publish(WorkArrived())
        return True

    def tell_of_device(self, device_id: str) -> None:
        """Tell that a device came or went, as if a problem of it had changed."""
        self._tell(ProblemKind.DEVICE, device_id)

    def of(self, kind: ProblemKind, subject: str) -> Problem | None:
        """Return the present problem of one subject; None if it has none."""
        with self._lock:
            return self._problems.get((kind, subject))

    def all_of(self, kind: ProblemKind) -> Mapping[str, Problem]:
        """Return the present problems of one kind that were found here, by subject."""
        with self._lock:
            return {subject: one for (of, subject), one in self._problems.items() if of is kind}

    def known_of(self, kind: ProblemKind) -> Mapping[str, Problem]:
        """Return the present problems of one kind, found in whatever process, for people."""
        with self._lock:
            known = {**self._told, **self._problems}
        return {subject: one for (of, subject), one in known.items() if of is kind}

    def told_of(self, kind: ProblemKind, subject: str) -> Problem | None:
        """Return the problem of one subject that another process has found; None if none has."""
        with self._lock:
            return self._told.get((kind, subject))

    def to_tell(self) -> Mapping[str, Problem]:
        """Return what was found here of the server, accounts and backups, for other processes."""
        return {
            f"{kind} {subject}": one
            for kind in OF_ALL
            for subject, one in self.all_of(kind).items()
        }

    def take(self, told: Sequence[Told[Problem]]) -> None:
        """Take what all other processes have found; what several found is one problem."""
        machines: dict[tuple[str, str], dict[str, Problem]] = {}
        for one in told:
            machines.setdefault((one.subject, one.value.code), {})[one.machine] = one.value
        found = {}
        for (name, _), by_machine in sorted(machines.items()):
            kind, _, subject = name.partition(" ")
            found[ProblemKind(kind), subject] = self._said_by(by_machine)
        with self._lock:
            self._told = found

    def _said_by(self, found: Mapping[str, Problem]) -> Problem:
        """Return a problem that processes on these machines have, as it is told here."""
        if self._machine in found:
            return found[self._machine]
        one = next(iter(found.values()))
        text = msg("{machines}: {problem}", machines=listed(sorted(found)), problem=one.text)
        return replace(one, text=text)

    def _tell(self, kind: ProblemKind, subject: str) -> None:
        if kind is ProblemKind.DEVICE:
            self._bus.publish(DeviceChanged(subject))
        self._bus.publish(NoticesChanged())
