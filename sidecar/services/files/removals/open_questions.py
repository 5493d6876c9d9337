"""Collects the open questions about devices, shown on every page until somebody answers.

    many files are missing or changed ─▶ answered where it is shown
    a plan would remove many files ────▶ answered where the plan is shown
    files may be one of several items ─▶ answered on a page of their own
    a filter matches far fewer files ──▶ answered where it is shown, by the filter's owner

It runs for each page: with one process it reads memory only. Users of a device see its questions;
its managers answer them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sidecar.domain.accounts.device_access import Access
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.files.removals.questions import LostFiles
from sidecar.services.health.notices import OpenQuestion, Subject
from sidecar.services.health.problems import ProblemKind, Problems

# The code of a space problem that is a question.
CONFIRM = "confirm"


class OpenQuestions:
    """Collects the open questions of all devices. Thread-safe."""

    def __init__(
        self,
        *,
        lost: Callable[[str], LostFiles | None],
        registry: DeviceRegistry,
        problems: Problems,
        access: DeviceAccess,
        in_doubt: Callable[[str, str], str | None],
        selections: Callable[[Person, str], Iterable[tuple[str, str, Callable[[str], str]]]],
    ) -> None:
        """Prepare.

        Args:
            lost: Returns what is missing on a device.
            registry: The devices that are there, on whatever machine.
            problems: Knows which plans wait.
            access: Who may use a device.
            in_doubt: Returns the question about items of a device, by its id and name.
            selections: Returns a person's filters that match too little on a device, each with
                the version of its question and what makes that of the device's name.
        """
        self._selections = selections
        self._in_doubt = in_doubt
        self._access = access
        self._lost = lost
        self._registry = registry
        self._problems = problems

    def of(self, person: Person) -> Sequence[OpenQuestion]:
        """Return the open questions of the devices that this person uses, device by device."""
        plans = self._problems.all_of(ProblemKind.ROOM)
        found = []
        for device_id, settings in self._registry.attached_anywhere().items():
            access = self._access.to(person, settings)
            if access is Access.NONE:
                continue
            if lost := self._lost(device_id):
                found.append(
                    OpenQuestion(
                        subject=Subject.REMOVALS,
                        device_id=device_id,
                        device_name=settings.name,
                        text=lost.text(settings.name),
                        missing=len(lost.gone),
                        version=lost.version,
                        may_answer=access is Access.MANAGE,
                    )
                )
            if text := self._in_doubt(device_id, settings.name):
                found.append(
                    OpenQuestion(
                        subject=Subject.IDENTITY,
                        device_id=device_id,
                        device_name=settings.name,
                        text=text,
                        may_answer=access is Access.MANAGE,
                    )
                )
            found += (
                OpenQuestion(
                    subject=Subject.SELECTION,
                    device_id=device_id,
                    device_name=settings.name,
                    text=make_text(settings.name),
                    version=version,
                    selection_id=selection_id,
                )
                for selection_id, version, make_text in self._selections(person, device_id)
            )
            trouble = plans.get(device_id)
            if trouble is not None and trouble.code == CONFIRM:
                found.append(
                    OpenQuestion(
                        subject=Subject.PLAN,
                        device_id=device_id,
                        device_name=settings.name,
                        text=trouble.text,
                        may_answer=access is Access.MANAGE,
                    )
                )
        return found
