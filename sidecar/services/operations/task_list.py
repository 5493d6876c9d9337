"""What is done regularly, as admins see it: each task with whom or what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sidecar.errors import NotVisible
from sidecar.messages import msg
from sidecar.services.health.tasks import TaskKind, TaskRun, Tasks

WHAT: Mapping[TaskKind, str] = MappingProxyType(
    {
        TaskKind.BACKUP: msg("Backup"),
        TaskKind.COPY: msg("Daily copy of the database"),
        TaskKind.SCAN: msg("Look for removed and changed files"),
        TaskKind.RULES: msg("Run the rules"),
        TaskKind.HEARTS: msg("Compare favourites with Jellyfin"),
        TaskKind.IDENTITY: msg("Look for moved and renamed items in Jellyfin"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task.

    Attributes:
        id: Names it for `run_now`.
        what: What is done.
        about: The name of the account or the device; empty if it is about neither.
        machine: Where it is done, if that is another process.
    """

    id: str
    what: str
    about: str
    machine: str
    run: TaskRun


class TaskList:
    """Lists the tasks, and has one done now. Safe for many threads."""

    def __init__(self, tasks: Tasks, names: Callable[[], Mapping[str, str]]) -> None:
        """Prepare; `names` returns those of accounts and devices by their ids."""
        self._tasks = tasks
        self._names = names

    def all(self) -> Sequence[TaskView]:
        """Return all tasks."""
        names = self._names()
        return [
            TaskView(
                id=one.id,
                what=WHAT[one.kind],
                about=names.get(one.subject, ""),
                machine=one.machine,
                run=one.run,
            )
            for one in self._tasks.all()
            if not one.subject or one.subject in names
        ]

    def run_now(self, task_id: str) -> None:
        """Have a task done soon, in whatever process does it.

        Raises:
            NotVisible: There is no such task, or none any more, as its device was unplugged.
        """
        if not self._tasks.has(task_id):
            raise NotVisible
        self._tasks.run_now(task_id)
