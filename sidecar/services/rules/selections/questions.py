"""Learns how many files saved filters match, and asks their owners when those are far too few.

    as many as ever, or more than half ──▶ remembered
    less than half, or nothing ──────────▶ a question on every page of its owner; nothing is removed

The questions are kept in memory only: after a restart the next run of the rule asks the same again.
Where several processes share a database, they are shown and answered on the pages of all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sidecar.domain.rules.context import KeptSelection, Matched
from sidecar.errors import NotPossible
from sidecar.events import Bus, NoticesChanged
from sidecar.messages import msg
from sidecar.services.health.notices import QUESTION_CHANGED
from sidecar.services.processes.known import Known
from sidecar.store.rules.selections import Selections


@dataclass(frozen=True, slots=True)
class SelectionQuestion:
    """Whether files may be removed that a filter does not match any more; `files` it still does."""

    user_id: str
    device_id: str
    kept: KeptSelection
    files: int

    @property
    def version(self) -> str:
        """What tells this question from one with other numbers."""
        return f"{self.kept.matched}-{self.files}"

    def text(self, device: str) -> str:
        """Return the question as a message for people."""
        return msg(
            "Your filter {title} matched {before} files and now matches {now}: nothing of it is "
            "removed from {device} until you have said so",
            title=self.kept.name,
            before=self.kept.matched,
            now=self.files,
            device=device,
        )


class SelectionQuestions:
    """All open questions. Safe for many threads.

    Attributes:
        known: For those who share them between processes.
    """

    def __init__(self, selections: Selections, bus: Bus) -> None:
        self._selections = selections
        self._bus = bus
        self.known: Known[SelectionQuestion] = Known()

    def learn(self, user_id: str, device_id: str, matched: Sequence[Matched]) -> None:
        """Take what all filters match that an account keeps in sync on a device."""
        for one in matched:
            if not one.is_doubtful:
                self._selections.note(one.kept, device_id, one.files, keeps_all=False)
        asked = {
            _name(user_id, device_id, one.kept.id): SelectionQuestion(
                user_id, device_id, one.kept, one.files
            )
            for one in matched
            if one.is_doubtful and not one.kept.keeps_all
        }
        before = [_name(user_id, device_id, one.kept.id) for one in self.of(user_id, device_id)]
        self._replace(before, asked)

    def of(self, user_id: str, device_id: str) -> Sequence[SelectionQuestion]:
        """Return the open questions to an account about a device."""
        asked = [
            one
            for one in self.known.all().values()
            if (one.user_id, one.device_id) == (user_id, device_id)
        ]
        return sorted(asked, key=lambda one: (one.kept.name, one.kept.id))

    def answer(
        self,
        user_id: str,
        device_id: str,
        selection_id: str,
        *,
        remove: bool,
        shown: str | None = None,
    ) -> bool:
        """Take an answer; return whether there was such a question.

        Raises:
            NotPossible: The version that was shown is another one; nothing was changed.
        """
        open_now = self.of(user_id, device_id)
        asked = next((one for one in open_now if one.kept.id == selection_id), None)
        if asked is None:
            return False
        if shown is not None and shown != asked.version:
            raise NotPossible(QUESTION_CHANGED)
        files = asked.files if remove else asked.kept.matched
        self._selections.note(asked.kept, device_id, files, keeps_all=not remove)
        self.close(user_id, device_id, selection_id)
        return True

    def close(self, user_id: str, device_id: str, selection_id: str) -> None:
        """Ask no more about a filter: it was answered, changed, or is not kept there any more."""
        self._replace([_name(user_id, device_id, selection_id)], {})

    def _replace(self, about: Collection[str], asked: Mapping[str, SelectionQuestion]) -> None:
        before = self.known.replace(about, asked)
        if before != self.known.all():
            self._bus.publish(NoticesChanged())


def _name(user_id: str, device_id: str, selection_id: str) -> str:
    return f"{user_id} {device_id} {selection_id}"
