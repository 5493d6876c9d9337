"""Files to adopt in memory, for the web alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sidecar.errors import NotVisible, SidecarError
from sidecar.services.accounts.person import Person
from sidecar.services.adoption.adopt import AdoptedView, FileMatch, NotAdopted, OfferView
from sidecar.services.devices.access import Management
from tests.fakes.desk import ANN

MATCH = FileMatch(
    id="0123456789abcdef",
    path="Music/01 Track 7.flac",
    size=1234,
    item_id=f"{7:032x}",
    title="Track 7",
    artist="The Sine Waves",
    album="First Light",
    why="its size and its tags are those of the original",
)


@dataclass
class FakeAdoption:
    """Imitates `AdoptionService` for one device, `stick`, of ann's.

    Unlike the real one it looks at no file and adopts nothing.
    """

    trouble: SidecarError | None = None
    asked: list[tuple[str, tuple[str, ...] | None]] = field(default_factory=list)

    def offer(self, person: Person, device_id: str) -> OfferView:
        self.check_may_adopt(person, device_id)
        return OfferView(
            management=Management(may_manage=True),
            device_id=device_id,
            device_name="Car stick",
            found=3,
            matched=[MATCH],
            matched_total=1,
            doubtful=[],
            strangers=2,
            examples=["Music/a.mp3"],
        )

    def adopt(self, person: Person, device_id: str, ids: Collection[str] | None) -> AdoptedView:
        self.check_may_adopt(person, device_id)
        self.asked.append((person.name, None if ids is None else tuple(ids)))
        refused = NotAdopted(
            id="f" * 16, path="Music/a.mp3", why="its bytes are not the original's"
        )
        return AdoptedView(adopted=1, left=0, refused=[refused])

    def check_may_adopt(self, person: Person, device_id: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        if device_id != "stick" or not (person.is_admin or person == ANN):
            raise NotVisible
