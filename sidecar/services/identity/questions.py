"""Open questions about files that may be one of several items. Kept in memory only.

Until somebody answers, the file is left alone and none of the items is fetched. After a restart
the next check finds and asks the same again. Where several processes share a database, what one of
them asks is shown and answered on the pages of all.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sidecar.domain.identity.matching import Facts
from sidecar.domain.items.item import Item
from sidecar.events import Bus, NoticesChanged
from sidecar.messages import msg
from sidecar.services.processes.known import Known

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IdentityQuestion:
    """A question which item of the library a file is now.

    Attributes:
        file: What we know of the file, with its old id.
        candidates: The items that it may be; the answer is one of them, or none.
        why: Why it is not certain, a clause for people.
    """

    file: Facts
    candidates: tuple[Item, ...]
    why: str

    def text(self) -> str:
        """Return the question as a message for people."""
        return msg(
            "Jellyfin knows {title} by another name or place now, and it is not "
            "certain which item that is: {why}. Nothing is downloaded or removed for "
            "it until somebody answers",
            title=self.file.title,
            why=self.why,
        )


class IdentityQuestions:
    """All open questions, by the old id of the file's item. Safe for many threads.

    Attributes:
        known: For those who share them between processes.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.known: Known[IdentityQuestion] = Known()

    def all(self) -> Sequence[IdentityQuestion]:
        """Return all open questions, sorted by title."""
        return sorted(self.known.all().values(), key=lambda one: (one.file.title, one.file.id))

    def of(self, item_id: str) -> IdentityQuestion | None:
        """Return the open question about a file, by its old id; None if there is none."""
        return self.known.of(item_id)

    def waiting(self) -> frozenset[str]:
        """Return the ids of all candidates: they are not fetched before the answer."""
        return frozenset(item.id for one in self.known.all().values() for item in one.candidates)

    def decide(self, about: Collection[str], asked: Mapping[str, IdentityQuestion]) -> None:
        """Replace the questions about the ids `about` by those in `asked`."""
        before = self.known.replace(about, asked)
        if before != self.known.all():
            for item_id, question in asked.items():
                if before.get(item_id) != question:
                    log.warning("%s", question.text())
            self._bus.publish(NoticesChanged())
