"""Files that may be one of several items: a person is asked. Kept in memory only.

Until somebody says, nothing is done about the file, and none of the items is fetched; after a
restart the same is found and asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from sidecar.domain.imports.identity import Facts
from sidecar.domain.items.item import Item
from sidecar.events import Bus, NoticesChanged
from sidecar.messages import msg

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IdentityQuestion:
    """Which item of the library is this file by now?

    Attributes:
        file: What we know of it, by the id that it had.
        candidates: What it may be; an answer is one of them, or none.
        why: A clause for people.
    """

    file: Facts
    candidates: tuple[Item, ...]
    why: str

    def text(self) -> str:
        """Return it for people."""
        return msg(
            "The server knows {title} by another name or place now, and it is not certain which "
            "item that is: {why}. Until somebody says, nothing is fetched or removed for it",
            title=self.file.title,
            why=self.why,
        )


class IdentityQuestions:
    """All open ones, by the id that the file's item had. Safe for many threads."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._lock = Lock()
        self._open: dict[str, IdentityQuestion] = {}

    def all(self) -> Sequence[IdentityQuestion]:
        """Return them in the order of the files' titles."""
        with self._lock:
            return sorted(self._open.values(), key=lambda one: (one.file.title, one.file.id))

    def of(self, item_id: str) -> IdentityQuestion | None:
        """Return the open question about a file."""
        with self._lock:
            return self._open.get(item_id)

    def waiting(self) -> frozenset[str]:
        """Return the items that wait for an answer: each may be there already."""
        with self._lock:
            return frozenset(item.id for one in self._open.values() for item in one.candidates)

    def decide(self, about: Collection[str], asked: Mapping[str, IdentityQuestion]) -> None:
        """Ask these from now on, and of all that was looked at nothing else."""
        with self._lock:
            before = dict(self._open)
            for one in about:
                self._open.pop(one, None)
            self._open |= asked
            is_news = before != self._open
        if is_news:
            for item_id, question in asked.items():
                if before.get(item_id) != question:
                    log.warning("%s", question.text())
            self._bus.publish(NoticesChanged())
