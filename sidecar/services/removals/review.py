"""What people may see and say of files that are missing on devices; only where their files go.

A device of others is as if it did not exist, and of a shared one they read only their own titles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from sidecar.domain.downloads.shares import NO_FILES, Share
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess, Management
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.notices import Notice
from sidecar.services.removals.monitor import RemovalMonitor, blind_text

EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalsView:
    """The open question about a device, as a person sees it.

    Attributes:
        management: Who may answer it.
        text: The question; None if nothing is asked.
        gone: How many files are missing.
        edited: How many were changed by something else.
        total: How many there should be.
        whose: Whose the missing and changed files are.
        examples: Paths of a few that this person may see.
    """

    device_id: str
    device_name: str
    management: Management
    text: str | None = None
    gone: int = 0
    edited: int = 0
    total: int = 0
    whose: Share = NO_FILES
    examples: tuple[str, ...] = ()


class RemovalReview:
    """Asks people whether files that are missing were removed on purpose."""

    def __init__(
        self,
        removals: RemovalMonitor,
        *,
        ownership: Ownership,
        access: DeviceAccess,
        registry: DeviceRegistry,
    ) -> None:
        self._removals = removals
        self._ownership = ownership
        self._access = access
        self._registry = registry

    def removals(self, person: Person, device_id: str) -> RemovalsView:
        """Return the open question about a device.

        Raises:
            errors.NotVisible: It is no device of this person.
        """
        settings = self._access.settings(person, device_id)
        name, management = settings.name, self._access.management(person, settings)
        question = self._removals.question(device_id)
        if question is None:
            return RemovalsView(device_id=device_id, device_name=name, management=management)
        return RemovalsView(
            device_id=device_id,
            device_name=name,
            management=management,
            text=question.text(name),
            gone=question.gone,
            edited=len(question.files) - question.gone,
            total=question.total,
            whose=self._ownership.shares(person, sorted(question.files)),
            examples=self._examples(person, sorted(question.files)),
        )

    def answer(self, person: Person, device_id: str, *, gone: bool) -> int:
        """Answer it: was it a person; return how many files that concerned.

        Raises:
            errors.NotVisible: As above.
            errors.NotAManager: They do not manage the device.
            errors.DeviceError: The device cannot be looked at now; the question stays.
        """
        self._access.managed(person, device_id)
        return self._removals.answer(device_id, gone=gone)

    def notices(self, person: Person) -> Sequence[Notice]:
        """Return what this person should know: open questions, folders that cannot be watched."""
        blind = self._removals.blind()
        notices = []
        for device in self._registry.all():
            name = device.settings.name
            if not self._access.to(person, device.settings):
                continue
            if question := self._removals.question(device.id):
                notices.append(Notice("device", "warning", question.text(name)))
            if device.id in blind:
                notices.append(Notice("device", "info", blind_text(name, blind[device.id])))
        return notices

    def _examples(self, person: Person, ids: Sequence[int]) -> tuple[str, ...]:
        seen = self._ownership.visible_among(person, ids)
        return tuple(one.file_path for one in islice(seen, EXAMPLES))
