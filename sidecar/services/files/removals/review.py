"""Shows people the question about missing files on their devices, and takes their answer.

A device that a person does not use is hidden; on a shared one they see paths of own files only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice

from sidecar.domain.downloads.shares import NO_FILES, Share
from sidecar.messages import counted
from sidecar.services.accounts.ownership import Ownership
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess, Management
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.files.removals.monitor import RemovalMonitor, blind_text
from sidecar.services.files.removals.questions import LostFiles
from sidecar.services.health.notices import Notice
from sidecar.store.downloads.activity import ActivityLog

EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalsView:
    """The open question about a device, as a person sees it.

    Attributes:
        management: Who may answer it.
        text: The question; None if there is none.
        gone: How many files are missing.
        edited: How many were changed by something other than the sidecar.
        total: How many files there should be.
        whose: Whose the missing and changed files are.
        examples: Paths of a few files that this person may see.
        ids: The downloads of the missing and changed files, which an answer is about.
        version: What tells this question from one about other files; empty if there is none.
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
    ids: Sequence[int] = ()
    version: str = ""


class RemovalReview:
    """Asks people whether files that are missing were removed on purpose."""

    def __init__(
        self,
        removals: RemovalMonitor,
        *,
        activity: ActivityLog,
        ownership: Ownership,
        access: DeviceAccess,
        registry: DeviceRegistry,
        lost: Callable[[str], LostFiles | None],
        blind: Callable[[str], str | None],
    ) -> None:
        """Prepare.

        Args:
            removals: Carries out answers for devices that are here.
            activity: Where answers are noted.
            ownership: Who may see which files.
            access: Who may answer.
            registry: The devices that are there, on whatever machine.
            lost: Returns what is missing on a device.
            blind: Returns why a device cannot be watched.
        """
        self._removals = removals
        self._lost = lost
        self._blind = blind
        self._activity = activity
        self._ownership = ownership
        self._access = access
        self._registry = registry

    def removals(self, person: Person, device_id: str) -> RemovalsView:
        """Return the open question about a device.

        Raises:
            errors.NotVisible: This person does not use the device.
        """
        settings = self._access.settings(person, device_id)
        name, management = settings.name, self._access.management(person, settings)
        lost = self._lost(device_id)
        if lost is None:
            return RemovalsView(device_id=device_id, device_name=name, management=management)
        return RemovalsView(
            device_id=device_id,
            device_name=name,
            management=management,
            text=lost.text(name),
            gone=len(lost.gone),
            edited=len(lost.edited),
            total=lost.total,
            whose=self._ownership.shares(person, lost.ids),
            examples=self._examples(person, lost.ids),
            ids=lost.ids,
            version=lost.version,
        )

    def answer(self, person: Person, device_id: str, *, gone: bool, asked: Collection[int]) -> int:
        """Answer the question: did a person do it? Return how many files that concerned.

        `asked` are the downloads that they were asked about then.

        Raises:
            errors.NotVisible: This person does not use the device.
            errors.NotAManager: This person does not manage the device.
            errors.DeviceError: The device cannot be read now; the question stays open.
        """
        self._access.managed(person, device_id)
        files = self._removals.answer(device_id, gone=gone, asked=asked)
        text = (
            counted(
                "{count} missing file was deleted on purpose",
                "{count} missing files were deleted on purpose",
                files,
            )
            if gone
            else counted(
                "{count} missing file is downloaded again",
                "{count} missing files are downloaded again",
                files,
            )
        )
        self._activity.confirm(person.user_id, device_id, text)
        return files

    def notices(self, person: Person) -> Sequence[Notice]:
        """Return notices about open questions and about folders that cannot be watched."""
        notices = []
        for device_id, settings in self._registry.attached_anywhere().items():
            if not self._access.to(person, settings):
                continue
            if lost := self._lost(device_id):
                notices.append(Notice("device", "warning", lost.text(settings.name)))
            if reason := self._blind(device_id):
                notices.append(Notice("device", "info", blind_text(settings.name, reason)))
        return notices

    def _examples(self, person: Person, ids: Sequence[int]) -> tuple[str, ...]:
        seen = self._ownership.visible_among(person, ids)
        return tuple(one.file_path for one in islice(seen, EXAMPLES))
