"""A desk for removals in memory, for the web alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sidecar.errors import DeviceError, NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import Management
from sidecar.services.removals.review import RemovalsView
from tests.fakes.desk import ANN

ASKED = RemovalsView(
    device_id="stick",
    device_name="Car stick",
    management=Management(may_manage=True),
    text="Of 40 files on Car stick, 12 are missing. Was that you?",
    gone=12,
    total=40,
    examples=("The Quiet Hour/Evenings/1.flac",),
)


@dataclass
class FakeRemovalsDesk:
    """Imitates `RemovalReview`.

    Unlike the real one it looks at no device; Ann's stick is the only one.
    """

    view: RemovalsView = ASKED
    is_away: bool = False
    answers: list[bool] = field(default_factory=list)

    def removals(self, person: Person, device_id: str) -> RemovalsView:
        is_theirs = person.is_admin or person == ANN
        if device_id != self.view.device_id or not is_theirs:
            raise NotVisible
        return self.view

    def answer(self, person: Person, device_id: str, *, gone: bool) -> int:
        if self.is_away:
            raise DeviceError("missing", "Car stick is not there: plug it in and it goes on")
        found = self.removals(person, device_id)
        self.answers.append(gone)
        self.view = replace(found, text=None, gone=0)
        return found.gone
