"""How each device stands, in one word and with its problems, for the pages that show devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.downloads.download import Status
from sidecar.services.accounts.person import Person
from sidecar.services.devices.views import DeviceView
from sidecar.services.health.notices import Notice
from sidecar.store.downloads.queries import DeviceState
from sidecar.web.i18n.status_labels import StatusLabel, device_label, hindrance
from sidecar.web.services import WebServices


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTile:
    """A device as the home page shows it.

    Attributes:
        running, waiting: How many downloads for it run, and how many are queued.
        synced_at: When the last file arrived there; None if there is none.
        problems: What is wrong there, for people, in one wording each.
    """

    device: DeviceView
    label: StatusLabel
    running: int
    waiting: int
    synced_at: datetime | None
    problems: Sequence[str]


def device_tiles(
    services: WebServices,
    person: Person,
    states: Mapping[str, DeviceState],
    notices: Iterable[Notice],
) -> Sequence[DeviceTile]:
    """Return the devices of a person; `states` are their downloads, `notices` the person's."""
    told = tuple(notices)
    problems: dict[str, list[str]] = {}
    for one in told:
        if one.device_id:
            problems.setdefault(one.device_id, []).append(one.text)
    questions = services.notices.questions(person)
    # What is a question is asked above.
    asked = {one.text for one in questions}
    return [
        _tile(
            one,
            state=states.get(one.id, DeviceState({})),
            problems=[text for text in problems.get(one.id, ()) if text not in asked],
            is_asked=any(question.device_id == one.id for question in questions),
            hindered=hindrance(told),
        )
        for one in services.devices.devices(person)
    ]


def _tile(
    device: DeviceView,
    *,
    state: DeviceState,
    problems: Sequence[str],
    is_asked: bool,
    hindered: StatusLabel | None,
) -> DeviceTile:
    # What may be pulled out is no problem.
    told = () if device.is_unplugged else problems
    return DeviceTile(
        device=device,
        label=device_label(
            device,
            counts=state.counts,
            is_asked=is_asked,
            has_problem=bool(told),
            hindered=hindered,
        ),
        running=state.counts.get(Status.DOWNLOADING, 0),
        waiting=state.counts.get(Status.PENDING, 0),
        synced_at=state.last_arrival,
        problems=told,
    )
