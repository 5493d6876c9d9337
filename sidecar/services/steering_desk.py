"""The desk at which people steer rules, holds and devices: what may be asked of it, and its values.

The web knows this protocol, never a table. Every call takes the person who asks: a device that
does not serve them does not exist for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sidecar.config.describing import Key
from sidecar.domain.rules.context import Chosen
from sidecar.domain.undo import Reversal
from sidecar.errors import SidecarError
from sidecar.services.desk import Person
from sidecar.services.device_access import Management
from sidecar.services.explaining import Why


class NotHere(SidecarError):
    """There is no such thing, or it is not for this person to see."""

    def __init__(self) -> None:
        super().__init__("There is nothing here, or it is not yours to see.")


class NotPossible(SidecarError):
    """What was asked for is understood and cannot be done; says why."""


Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Setting:
    """One key that can be set.

    Attributes:
        value: What counts now; a time as people write it, a size in bytes.
        default: What counts if nobody changes it for this device.
    """

    key: Key
    value: Value
    default: Value


@dataclass(frozen=True, slots=True)
class RuleSteering:
    """One rule on one device, for one person.

    Attributes:
        remarks: What it cannot do now.
        because: Why it wants what it wants: "you played 3 of 11 tracks of First Light".
    """

    name: str
    settings: tuple[Setting, ...]
    remarks: tuple[str, ...]
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceSteering:
    """All that can be set of a device."""

    device_id: str
    name: str
    management: Management
    settings: tuple[Setting, ...]
    rules: tuple[RuleSteering, ...]


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a person asked for on a device.

    Attributes:
        item_id: Of what they asked for: a file's own, or the container's.
        text: "you asked for First Light".
        files: How many files that keeps.
    """

    item_id: str
    text: str
    files: int


@dataclass(frozen=True, slots=True)
class Excluded:
    """An item that the person does not want from a rule.

    Attributes:
        device_id: Where; None for everywhere.
    """

    device_id: str | None
    rule: str
    item_id: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What the person removed from a device.

    Attributes:
        title: None if it is not known any more.
    """

    item_id: str
    title: str | None


class SteeringDesk(Protocol):
    """Everything that people say about rules, holds and devices.

    Every call raises `NotHere` for a device that is unknown or does not serve the person.
    """

    def settings(self, person: Person, device_id: str) -> DeviceSteering:
        """Return what is set of a device and of each rule there."""

    def change(
        self,
        person: Person,
        device_id: str,
        device: Mapping[str, object],
        rules: Mapping[str, Mapping[str, object]],
    ) -> DeviceSteering:
        """Change some keys of a device and of rules there, all or none; None takes one back.

        Raises:
            errors.NotAManager: They do not manage the device: what is set is set for all.
            errors.ConfigError: One of them is not allowed; nothing was changed.
            NotPossible: There is no such rule.
        """

    def pins(self, person: Person, device_id: str) -> Sequence[Pinned]:
        """List what the person asked for on a device, first asked first."""

    def pin(self, person: Person, device_id: str, item_id: str) -> int:
        """Keep an item, or all that a container holds now; return how many were queued.

        Raises:
            NotHere: The person's account cannot see the item.
            NotPossible: There is nothing in it that can be fetched.
            errors.JellyfinTrouble: It cannot be asked; nothing was changed.
        """

    def unpin(self, person: Person, device_id: str, item_id: str) -> Reversal:
        """Take a pin back, as it was put; return what keeps it again.

        Raises:
            NotHere: There is none.
        """

    def exclusions(self, person: Person) -> Sequence[Excluded]:
        """List what the person excluded from rules on devices that serve them."""

    def exclude(self, person: Person, device_id: str, rule: str, item_id: str) -> Reversal:
        """Take an item out of a rule: what the rule holds of it goes at once.

        Raises:
            NotHere: There is no such rule.
        """

    def include(self, person: Person, device_id: str, rule: str, item_id: str) -> None:
        """Take an exclusion back.

        Raises:
            NotHere: There is none.
        """

    def playlists(self, person: Person, device_id: str) -> Sequence[Chosen]:
        """List the playlists that the person chose for a device, in order."""

    def choose(self, person: Person, device_id: str, playlist_id: str) -> Chosen:
        """Add a playlist at the end.

        Raises:
            NotHere: The person's account cannot see it.
            NotPossible: It is no playlist.
            errors.JellyfinTrouble: It cannot be asked.
        """

    def drop(self, person: Person, device_id: str, playlist_id: str) -> Reversal:
        """Take a choice back.

        Raises:
            NotHere: There is none.
        """

    def removed(self, person: Person, device_id: str) -> Sequence[Removed]:
        """List what the person removed from a device and no rule fetches again."""

    def want_again(self, person: Person, device_id: str, item_id: str) -> None:
        """Let rules fetch again what the person removed.

        Raises:
            NotHere: They did not remove it.
        """

    def why(self, person: Person, device_id: str, item_id: str) -> Why:
        """Say why an item is on a device, or why it is not."""
