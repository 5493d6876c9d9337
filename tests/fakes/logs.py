"""The logs of a player in memory, for the web alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sidecar.errors import NotVisible, SidecarError
from sidecar.services.accounts.person import Person
from sidecar.services.player_logs.views import (
    HeardView,
    LineCounts,
    LogFileView,
    LogView,
    RefusedView,
    RemarkView,
    TakenView,
)
from tests.fakes.desk import ANN

HEARD = HeardView(
    item_id=f"{7:032x}",
    title="Track 7",
    artist="The Sine Waves",
    started_at=datetime(2026, 11, 1, 19, 37, tzinfo=UTC),
    seconds_heard=171.34,
)


@dataclass
class FakeLogs:
    """Imitates `PlayerLogImporter` for one device, `stick`, of ann's.

    Unlike the real one it reads nothing and tells Jellyfin nothing.
    """

    trouble: SidecarError | None = None
    taken_by: list[str] = field(default_factory=list)

    def log(self, person: Person, device_id: str) -> LogView:
        self._check(person, device_id)
        return LogView(
            device_id=device_id,
            device_name="Car stick",
            time_zone="Europe/Berlin",
            files=[LogFileView(".scrobbler.log", "scrobbler", 1234)],
            counts=LineCounts(plays=1, bad=1),
            plays=[HEARD],
            remarks=[RemarkView(path=".scrobbler.log", line=4, text="?", why="it is cut off")],
        )

    def take(self, person: Person, device_id: str) -> TakenView:
        self._check(person, device_id)
        self.taken_by.append(person.name)
        refused = RefusedView(item_id=f"{8:032x}", title="Track 8", why="Jellyfin does not let it")
        return TakenView(taken=1, left=0, refused=[refused])

    def _check(self, person: Person, device_id: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        if device_id != "stick" or not (person.is_admin or person == ANN):
            raise NotVisible
