"""Plans in memory, for the web alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sidecar.errors import NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import Management
from sidecar.services.space.planner import PlanChanged
from sidecar.services.space.plans import DevicePlan, PlanLine, SpaceView
from tests.fakes.desk import ANN

GIB = 1024**3


def a_line(number: int, **differences: object) -> PlanLine:
    line = PlanLine(
        number, f"{number:032x}", f"Track {number}", 7_400_000, "Nobody wants it any more"
    )
    return replace(line, **differences)  # type: ignore[arg-type]  # any field, by name


def a_plan(device_id: str = "stick", **differences: object) -> DevicePlan:
    view = DevicePlan(
        id=device_id,
        name="Car stick",
        trouble=None,
        management=Management(may_manage=True),
        space=SpaceView(
            total=32 * GIB,
            lasting=8 * GIB,
            passing=4 * GIB,
            others=2 * GIB,
            reserve=1 * GIB,
            free=17 * GIB,
            most=20 * GIB,
        ),
        plan_id="0123456789abcdef",
    )
    return replace(view, **differences)  # type: ignore[arg-type]  # any field, by name


@dataclass
class FakePlans:
    """Imitates `PlanService`.

    Unlike the real one it moves nothing, and a plan stays as it is until a test changes it.
    """

    plans: list[DevicePlan] = field(default_factory=list)
    users: tuple[Person, ...] = (ANN,)
    confirmed: list[tuple[str, str, str]] = field(default_factory=list)

    def all(self, person: Person) -> Sequence[DevicePlan]:
        return self.plans if person.is_admin or person in self.users else []

    def one(self, person: Person, device_id: str) -> DevicePlan:
        for one in self.all(person):
            if one.id == device_id:
                return one
        raise NotVisible

    def reformat(self, person: Person, device_id: str, name: str) -> None:
        found = self.one(person, device_id)
        if found.reformat is None or found.reformat.format != name:
            raise PlanChanged("Meanwhile another format is set: look at the plan again")
        self.confirmed.append((person.user_id, device_id, name))

    def confirm(self, person: Person, device_id: str, plan_id: str) -> None:
        found = self.one(person, device_id)
        if found.plan_id != plan_id:
            raise PlanChanged("Meanwhile other files would go: look at the plan again")
        self.confirmed.append((person.name, device_id, plan_id))
