"""A desk for actions in memory, for the web alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.shares import Share
from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.commands import (
    ActionResult,
    AddedItem,
    AddResult,
    DownloadCommand,
    QueuedDownload,
    ResultKind,
    Selection,
)
from tests.fakes.desk import FakeDesk


@dataclass
class FakeActions:
    """Imitates `DownloadActions`.

    Unlike the real one it changes no download: it notes what was asked for and answers what
    `answer` says. Every item is known to its Jellyfin but those in `unknown`.
    """

    desk: FakeDesk
    answer: ActionResult | None = None
    wanted_too: int = 0
    unknown: set[str] = field(default_factory=set)
    orders: list[tuple[str, int, DownloadCommand]] = field(default_factory=list)
    selections: list[tuple[Selection, DownloadCommand]] = field(default_factory=list)
    additions: list[tuple[Sequence[str], str | None, int | None]] = field(default_factory=list)

    def add(
        self,
        person: Person,
        item_ids: Sequence[str],
        *,
        device: str | None = None,
        priority: int | None = None,
    ) -> Sequence[AddedItem]:
        self.additions.append((item_ids, device, priority))
        return [self._addition(person, one) for one in item_ids]

    def _addition(self, person: Person, item_id: str) -> AddedItem:
        if item_id in self.unknown:
            return AddedItem(item_id, "", AddResult.NOT_FOUND, "Unknown", code="unknown-item")
        there = [one for one in self.desk.rows.values() if one.item_id == item_id]
        refs = [
            QueuedDownload(one.id, one.status, 1) for one in there if self._sees(person, one.id)
        ]
        return AddedItem(
            item_id, "A title", AddResult.EXISTS if refs else AddResult.QUEUED, "Queued", refs
        )

    def act(self, person: Person, download_id: int, order: DownloadCommand) -> ActionResult:
        if not self._sees(person, download_id):
            raise NotVisible
        self.orders.append((person.name, download_id, order))
        return self.answer or ActionResult(download_id, ResultKind.DONE, "It is done")

    def act_on(
        self, person: Person, ids: Sequence[int], order: DownloadCommand
    ) -> Sequence[ActionResult]:
        return [
            self.act(person, one, order)
            if self._sees(person, one)
            else ActionResult(one, ResultKind.NOT_FOUND, "not there")
            for one in ids
        ]

    def act_on_all(
        self, person: Person, which: Selection, order: DownloadCommand
    ) -> Sequence[ActionResult]:
        self.selections.append((which, order))
        seen = [one for one in sorted(self.desk.rows) if self._sees(person, one)]
        return self.act_on(person, seen, order)

    def fitting(self, person: Person, which: Selection, action: Action) -> Sequence[int]:
        return [one for one in sorted(self.desk.rows) if self._sees(person, one)]

    def shares(self, person: Person, ids: Sequence[int]) -> Share:
        return Share(total=len(ids), yours=len(ids))

    def _sees(self, person: Person, download_id: int) -> bool:
        return bool(self.desk.some(person, [download_id]))

    def others(self, person: Person, download_id: int) -> int:
        return self.wanted_too
