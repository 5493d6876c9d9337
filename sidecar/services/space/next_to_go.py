"""Previews what would be evicted first if a device needed space.

All users of a device see the order, but titles only of files that they may see elsewhere. The order
comes from the same functions as that of a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sidecar.domain.space.eviction import Stored
from sidecar.domain.wishes import EvictionClass
from sidecar.errors import DeviceError
from sidecar.process.threads import attempt
from sidecar.services.accounts.person import Person, viewer
from sidecar.services.devices.registry import odd_text
from sidecar.services.devices.views import DeviceView
from sidecar.services.space.planner import DevicePlanState, Outlook
from sidecar.services.space.plans import DIGITS_OF_A_FILE
from sidecar.sizes import rough_size
from sidecar.store.downloads.inventory import Inventory

# So many of the files are looked at first: most likely one of them is hidden already.
FEW = 500


@dataclass(frozen=True, slots=True)
class EvictionCandidate:
    """A file that may be evicted.

    Attributes:
        download_id, title: None if the person may not see the file.
        bytes: Size of the file; rounded if the person may not see it.
        standing: Its eviction class.
        was_used: Whether it was used since it arrived.
    """

    download_id: int | None
    title: str | None
    bytes: int
    standing: EvictionClass
    was_used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionCandidates:
    """The files of a device that may be evicted, the first to go first.

    Attributes:
        trouble: A sentence if the device cannot be read; then nothing is evicted.
        first: As many as were asked for.
        total, bytes: Number and size of all of them.
    """

    device_id: str
    device_name: str
    trouble: str | None
    first: tuple[EvictionCandidate, ...] = ()
    total: int = 0
    bytes: int = 0


class EvictionPreview:
    """Shows which files would be evicted next. Thread-safe."""

    def __init__(
        self,
        *,
        devices: Callable[[Person], Sequence[DeviceView]],
        outlook: Outlook,
        inventory: Inventory,
    ) -> None:
        self._devices = devices
        self._outlook = outlook
        self._inventory = inventory

    def all(self, person: Person, most: int) -> Sequence[EvictionCandidates]:
        """Return up to `most` files for each device that the person uses; for an admin, of all."""
        return [
            attempt(
                partial(self._of, person, device, most),
                f"what goes next from {device.name}",
                partial(_unknown, device, odd_text(device.name)),
            )
            for device in self._devices(person)
        ]

    def _of(self, person: Person, device: DeviceView, most: int) -> EvictionCandidates:
        try:
            found = self._outlook(device.id)
        except DeviceError as trouble:
            return _unknown(device, str(trouble))
        first = found.next_to_go[:most]
        seen = self._inventory.read_titles([one.download_id for one in first], viewer(person))
        hides = not person.is_admin and self._hides_some(person, found)
        return EvictionCandidates(
            device_id=device.id,
            device_name=device.name,
            trouble=device.trouble,
            first=tuple(_leaver(one, seen) for one in first),
            total=found.files_may_go,
            bytes=rough_size(found.bytes_may_go) if hides else found.bytes_may_go,
        )

    def _hides_some(self, person: Person, found: DevicePlanState) -> bool:
        """Whether there are files among those that may go which a person may not see."""
        return len(found.may_go) < found.files_may_go or any(
            len(self._inventory.list_visible_to(person.user_id, some)) < len(some)
            for some in (found.may_go[:FEW], found.may_go[FEW:])
        )


def _unknown(device: DeviceView, trouble: str) -> EvictionCandidates:
    said = device.trouble or trouble
    return EvictionCandidates(device_id=device.id, device_name=device.name, trouble=said)


def _leaver(file: Stored, seen: Mapping[int, tuple[str, str]]) -> EvictionCandidate:
    is_theirs = file.download_id in seen
    return EvictionCandidate(
        file.download_id if is_theirs else None,
        seen[file.download_id][1] if is_theirs else None,
        file.size if is_theirs else rough_size(file.size, DIGITS_OF_A_FILE),
        file.eviction_class,
        was_used=file.last_used > 0,
    )
