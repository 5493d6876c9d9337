"""The network rule and the speed limit as people see them, and as an admin changes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.notices import Notice
from sidecar.services.transfers.network_policy import NetworkPolicy
from sidecar.services.transfers.speed_limits import SpeedLimits


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What may be fetched for one device now.

    Attributes:
        own_only: Only what people asked for themselves.
        text: Why, or what is not known for sure; None if there is nothing to say.
        until: When that changes by itself; None if nobody knows.
    """

    device_id: str
    device_name: str
    own_only: bool
    text: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class TransfersView:
    """The transfers as a whole.

    Attributes:
        is_paused: An admin has paused automatic downloads.
        speed_limit: Bytes a second for all together; None for no limit.
        devices: Those that this person uses; an admin sees all.
    """

    is_paused: bool
    speed_limit: int | None
    devices: tuple[VerdictView, ...]


class TransferStatus:
    """Shows and changes what may be fetched now; the web decides who may ask for a change."""

    def __init__(
        self,
        network: NetworkPolicy,
        speed: SpeedLimits,
        registry: DeviceRegistry,
        access: DeviceAccess,
    ) -> None:
        self._network = network
        self._speed = speed
        self._registry = registry
        self._access = access

    def transfers(self, person: Person) -> TransfersView:
        """Return what may be fetched now, and how fast."""
        verdicts = []
        for one in self._registry.all():
            if self._access.to(person, one.settings):
                found = self._network.verdict(one.settings)
                name = one.settings.name
                verdicts.append(VerdictView(one.id, name, found.own_only, found.text, found.until))
        return TransfersView(self._network.is_paused, self._speed.of_all(), tuple(verdicts))

    def pause(self, *, paused: bool) -> None:
        """Pause automatic downloads, or let them go on."""
        self._network.pause(paused=paused)

    def limit(self, speed_limit: int | None) -> None:
        """Limit all transfers together."""
        self._speed.change(speed_limit)

    def as_usual(self) -> None:
        """Go by the settings file again."""
        self._speed.as_usual()

    def notices(self, person: Person) -> list[Notice]:
        """Return what waits because of the network: each sentence once."""
        found = self.transfers(person).devices
        texts = dict.fromkeys(one.text for one in found if one.own_only and one.text)
        return [Notice("network", "info", text) for text in texts]
