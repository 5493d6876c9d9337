"""What is done regularly: when it was done last, how that ended, and when it is done again.

    whoever does it ── `run` ──▶ Tasks ──▶ the page *Tasks*, in whatever process it is
    *Run now* ── `run_now` ──▶ whoever does it, in whatever process that is

Kept in memory only: after a start nearly all of it is done at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from threading import Lock

from sidecar.clock import Clock
from sidecar.errors import SidecarError
from sidecar.messages import msg
from sidecar.services.processes.findings import Told

EARLIEST = datetime.min.replace(tzinfo=UTC)


class TaskKind(StrEnum):
    """What is done regularly. What follows an account has the name of its follower."""

    BACKUP = "backup"
    COPY = "copy"
    SCAN = "scan"
    RULES = "rules"
    HEARTS = "hearts"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class TaskRun:
    """The last run of a task.

    Attributes:
        began_at: None if there was none since the start.
        ended_at: None while it goes on.
        failure: Why it did not do what it should, for people; empty if it did.
        next_at: When it is due again at the latest; None if it is done only when asked for.
    """

    began_at: datetime | None = None
    ended_at: datetime | None = None
    failure: str = ""
    next_at: datetime | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.began_at is not None and self.ended_at is None


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task, what it is about (the id of an account or a device), and where it is done.

    Attributes:
        machine: Empty if it is done in this process.
    """

    kind: TaskKind
    subject: str
    run: TaskRun
    machine: str = ""

    @property
    def id(self) -> str:
        """Names it: in addresses, in forms, and between processes."""
        return _make_id(self.kind, self.subject)


@dataclass(slots=True)
class Outcome:
    """How a run ends, unless it raises: what `fail` was told last."""

    failure: str = ""

    def fail(self, text: str) -> None:
        """Note that it does not do what it should, and why."""
        self.failure = text


class Tasks:
    """The tasks of this process, and what others tell of theirs. Safe for many threads."""

    def __init__(self, clock: Clock, call: Callable[[str], object] = lambda _task_id: None) -> None:
        """Prepare; `call` has other processes do a task that is theirs."""
        self._clock = clock
        self._call = call
        self._lock = Lock()
        self._runs: dict[str, TaskRun] = {}
        self._told: Sequence[Told[TaskRun]] = ()
        self._acts: dict[TaskKind, Callable[[str], object]] = {}

    def offer(self, kind: TaskKind, act: Callable[[str], object]) -> None:
        """Have `act` called with a subject when somebody wants that done; returns at once."""
        self._acts[kind] = act

    def put(self, kind: TaskKind, subject: str, run: TaskRun) -> None:
        """Note how a task stands."""
        with self._lock:
            self._runs[_make_id(kind, subject)] = run

    def plan(self, kind: TaskKind, subject: str = "", next_at: datetime | None = None) -> None:
        """Note that a task is to be done, and when it is due next."""
        with self._lock:
            before = self._runs.get(_make_id(kind, subject), TaskRun())
            self._runs[_make_id(kind, subject)] = replace(before, next_at=next_at)

    def drop(self, subject: str) -> None:
        """Forget the tasks about an account or a device that are not done any more."""
        with self._lock:
            for kind in TaskKind:
                self._runs.pop(_make_id(kind, subject), None)

    @contextmanager
    def run(
        self,
        kind: TaskKind,
        subject: str = "",
        *,
        again_s: float | None = None,
        retry_s: float | None = None,
    ) -> Iterator[Outcome]:
        """Note that a task is done as long as this context lasts, and how that ends.

        Args:
            kind: What is done.
            subject: What it is about.
            again_s: Seconds from now until it is due again; None if it never is by itself.
            retry_s: The same after a failure.
        """
        began_at, outcome = self._clock.now(), Outcome()
        self.put(kind, subject, TaskRun(began_at))
        try:
            yield outcome
        except SidecarError as error:
            outcome.fail(str(error))
            raise
        except Exception:
            outcome.fail(msg("It failed in a way nobody foresaw: the log says more"))
            raise
        finally:
            rest_s = retry_s if outcome.failure else again_s
            next_at = None if rest_s is None else began_at + timedelta(seconds=rest_s)
            ended = TaskRun(began_at, self._clock.now(), outcome.failure, next_at)
            self.put(kind, subject, ended)

    def found(self) -> Mapping[str, TaskRun]:
        """Return the tasks of this process, for the others."""
        with self._lock:
            return dict(self._runs)

    def take(self, told: Sequence[Told[TaskRun]]) -> None:
        """Take what all other processes tell of theirs."""
        with self._lock:
            self._told = told

    def all(self) -> Sequence[KnownTask]:
        """Return all tasks; of one that several processes have done, the newest run."""
        with self._lock:
            known = [(task_id, run, "") for task_id, run in self._runs.items()]
            known += [(one.subject, one.value, one.machine) for one in self._told]
        newest: dict[str, KnownTask] = {}
        order = list(TaskKind)
        for task_id, run, machine in sorted(known, key=lambda one: one[1].began_at or EARLIEST):
            kind, subject = _read_id(task_id)
            # A process of another version may do more.
            if kind in order:
                newest[task_id] = KnownTask(TaskKind(kind), subject, run, machine)
        return sorted(newest.values(), key=lambda one: (order.index(one.kind), one.subject))

    def has(self, task_id: str) -> bool:
        """Whether there is such a task, in whatever process."""
        with self._lock:
            return task_id in self._runs or any(one.subject == task_id for one in self._told)

    def run_now(self, task_id: str) -> None:
        """Have a task done soon, in whatever process it is."""
        self.act(task_id)
        self._call(task_id)

    def act(self, task_id: str) -> None:
        """Have a task of this process done soon, if it has this one."""
        if task_id in self.found():
            kind, subject = _read_id(task_id)
            self._acts[TaskKind(kind)](subject)


def _make_id(kind: TaskKind, subject: str) -> str:
    return f"{kind}-{subject}" if subject else kind


def _read_id(task_id: str) -> tuple[str, str]:
    kind, _, subject = task_id.partition("-")
    return kind, subject
