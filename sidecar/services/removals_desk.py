"""What people may see and say of files that are missing on devices; only where their files go.

A device of others is as if it did not exist, and of a shared one they read only their own titles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from sidecar.domain.downloads import Download
from sidecar.services.desk import Notice, Person
from sidecar.services.devices import DeviceShelf
from sidecar.services.removals import Removals, blind_text
from sidecar.store.devices import Devices
from sidecar.store.downloads import Downloads
from sidecar.store.holds import Holds

EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalsView:
    """The open question about a device, as a person sees it.

    Attributes:
        text: The question; None if nothing is asked.
        gone: How many files are missing.
        edited: How many were changed by something else.
        total: How many there should be.
        examples: Paths of a few that this person may see.
    """

    device_id: str
    device_name: str
    text: str | None = None
    gone: int = 0
    edited: int = 0
    total: int = 0
    examples: tuple[str, ...] = ()


class RemovalsDesk(Protocol):
    """What the web may ask about removals."""

    def removals(self, person: Person, device_id: str) -> RemovalsView | None:
        """Return the open question about a device; None if it is no device of this person."""

    def answer(self, person: Person, device_id: str, *, gone: bool) -> int | None:
        """Answer it: was it a person; return how many files that concerned, None as above.

        Raises:
            errors.DeviceTrouble: The device cannot be looked at now; the question stays.
        """


class RemovalsCounter:
    """The real desk."""

    def __init__(
        self,
        removals: Removals,
        *,
        downloads: Downloads,
        holds: Holds,
        devices: Devices,
        shelf: DeviceShelf,
    ) -> None:
        self._removals = removals
        self._downloads = downloads
        self._holds = holds
        self._devices = devices
        self._shelf = shelf

    def removals(self, person: Person, device_id: str) -> RemovalsView | None:
        """Return the open question about a device; None if it is no device of this person."""
        name = self._name(person, device_id)
        if name is None:
            return None
        question = self._removals.question(device_id)
        if question is None:
            return RemovalsView(device_id=device_id, device_name=name)
        return RemovalsView(
            device_id=device_id,
            device_name=name,
            text=question.text(name),
            gone=question.gone,
            edited=len(question.files) - question.gone,
            total=question.total,
            examples=self._examples(person, sorted(question.files)),
        )

    def answer(self, person: Person, device_id: str, *, gone: bool) -> int | None:
        """Answer it; see `RemovalsDesk`."""
        if self._name(person, device_id) is None:
            return None
        return self._removals.answer(device_id, gone=gone)

    def notices(self, person: Person) -> Sequence[Notice]:
        """Return what this person should know: open questions, folders that cannot be watched."""
        blind = self._removals.blind()
        notices = []
        for device in self._shelf.all():
            name = device.settings.name
            if not (person.is_admin or device.settings.serves(person.name)):
                continue
            if question := self._removals.question(device.id):
                notices.append(Notice("device", "warning", question.text(name)))
            if device.id in blind:
                notices.append(Notice("device", "info", blind_text(name, blind[device.id])))
        return notices

    def _name(self, person: Person, device_id: str) -> str | None:
        """Return the name of a configured device that serves this person, attached or not."""
        known = self._devices.get(device_id)
        return next(
            (
                one.name
                for one in self._shelf.settings()
                if known is not None
                and str(one.path) == known.path
                and (person.is_admin or one.serves(person.name))
            ),
            None,
        )

    def _examples(self, person: Person, ids: Sequence[int]) -> tuple[str, ...]:
        seen = (
            one.file_path
            for one in map(self._downloads.get, ids)
            if one is not None and self._may_see(person, one)
        )
        return tuple(islice(seen, EXAMPLES))

    def _may_see(self, person: Person, download: Download) -> bool:
        if person.is_admin:
            return True
        holders = self._holds.holders(download.device_id, download.item_id)
        return person.user_id in (holders or [download.user_id])
