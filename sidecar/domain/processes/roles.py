"""What a process does, where several share a database: pages, watching, or work on devices."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Task(StrEnum):
    """A part of what the sidecar does."""

    # Pages and the API.
    WEB = "web"
    # Accounts, rules, schedules and what is told to people: one process at a time.
    WATCH = "watch"
    # The devices that are plugged in there, and the workers that fill them.
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Roles:
    """What one process does.

    Attributes:
        is_alone: No other process uses the database meanwhile.
    """

    tasks: frozenset[Task] = frozenset(Task)
    is_alone: bool = True

    @property
    def text(self) -> str:
        """The roles as `read_roles` reads them; empty for all, alone."""
        return "" if self.is_alone else ",".join(one for one in Task if one in self.tasks)

    @property
    def serves_pages(self) -> bool:
        """Whether people open its pages."""
        return Task.WEB in self.tasks

    @property
    def watches(self) -> bool:
        """Whether it does what must be done once in an installation."""
        return Task.WATCH in self.tasks

    @property
    def works(self) -> bool:
        """Whether it has devices, and fetches files to them."""
        return Task.WORK in self.tasks


ALONE = Roles()


def read_roles(text: str) -> Roles:
    """Return the roles that a text names, such as "web,watch", of a process among several.

    Raises:
        ValueError: One of them is none.
    """
    return Roles(frozenset(Task(one.strip()) for one in text.split(",")), is_alone=False)
