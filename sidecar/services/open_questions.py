"""What waits for a person's answer on the devices: shown on every page until somebody gives it.

    many files are missing or changed ─▶ answered where it is shown
    a plan would remove many files ────▶ answered where the plan is shown

Reads memory only: it is asked for with each page. Who may see a question, and who may answer it,
is said here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.config import DeviceSettings
from sidecar.services.desk import OpenQuestion, Person, Subject
from sidecar.services.devices import DeviceShelf
from sidecar.services.removals import Removals
from sidecar.services.troubles import Kind, Troubles

# The code of a trouble that is a question.
CONFIRM = "confirm"


class OpenQuestions:
    """Collects them. Safe for many threads."""

    def __init__(self, *, removals: Removals, shelf: DeviceShelf, troubles: Troubles) -> None:
        self._removals = removals
        self._shelf = shelf
        self._troubles = troubles

    def of(self, person: Person) -> Sequence[OpenQuestion]:
        """Return what this person should know is asked, device by device."""
        plans = self._troubles.all_of(Kind.ROOM)
        found = []
        for device in self._shelf.all():
            settings = device.settings
            if not may_see(person, settings):
                continue
            if question := self._removals.question(device.id):
                found.append(
                    OpenQuestion(
                        subject=Subject.REMOVALS,
                        device_id=device.id,
                        device_name=settings.name,
                        text=question.text(settings.name),
                        missing=question.gone,
                        may_answer=may_answer(person, settings),
                    )
                )
            trouble = plans.get(device.id)
            if trouble is not None and trouble.code == CONFIRM:
                found.append(
                    OpenQuestion(
                        subject=Subject.PLAN,
                        device_id=device.id,
                        device_name=settings.name,
                        text=trouble.text,
                        may_answer=may_answer(person, settings),
                    )
                )
        return found


def may_see(person: Person, settings: DeviceSettings) -> bool:
    """Whether a question about this device concerns a person."""
    return person.is_admin or settings.serves(person.name)


def may_answer(person: Person, settings: DeviceSettings) -> bool:
    """Whether a person may answer for this device."""
    return may_see(person, settings)
