"""Shows people the network rule and the speed limit, and lets admins change them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.transfers.network import NetworkVerdict
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.health.notices import Notice
from sidecar.services.transfers.policy.network import NetworkPolicy
from sidecar.services.transfers.policy.speed_limits import SpeedLimits


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What may be fetched for one device now.

    Attributes:
        own_only: Whether it gets only what people asked for themselves.
        text: Why, or what is not certain; None if there is nothing to say.
        until: When that changes by itself; None if not known.
    """

    device_id: str
    device_name: str
    own_only: bool
    text: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class TransfersView:
    """The state of all transfers.

    Attributes:
        is_paused: Whether an admin has paused automatic downloads.
        speed_limit: Bytes a second for all transfers together; None for no limit.
        devices: The devices that this person uses; for an admin, all.
    """

    is_paused: bool
    speed_limit: int | None
    devices: tuple[VerdictView, ...]


class TransferStatus:
    """Shows and changes what may be fetched now; `sidecar.web` checks who may change it."""

    def __init__(
        self,
        network: NetworkPolicy,
        speed: SpeedLimits,
        registry: DeviceRegistry,
        access: DeviceAccess,
        verdict_on: Callable[[str], NetworkVerdict | None],
    ) -> None:
        """Prepare; `verdict_on` returns what may be fetched for a device, wherever that is."""
        self._verdict_on = verdict_on
        self._network = network
        self._speed = speed
        self._registry = registry
        self._access = access

    def transfers(self, person: Person) -> TransfersView:
        """Return what may be fetched now, and how fast."""
        return TransfersView(self._network.is_paused, self._speed.of_all(), self._verdicts(person))

    def _verdicts(self, person: Person) -> tuple[VerdictView, ...]:
        verdicts = []
        for device_id, settings in self._registry.attached_anywhere().items():
            if self._access.to(person, settings) and (found := self._verdict_on(device_id)):
                verdicts.append(
                    VerdictView(device_id, settings.name, found.own_only, found.text, found.until)
                )
        return tuple(verdicts)

    def pause(self, *, paused: bool) -> None:
        """Pause automatic downloads, or resume them."""
        self._network.pause(paused=paused)

    def try_now(self) -> None:
        """Let everything be fetched over this network and in these quiet hours, while they last."""
        self._network.try_now()

    def limit(self, speed_limit: int | None) -> None:
        """Set the limit of all transfers together, in bytes a second; None for no limit."""
        self._speed.change(speed_limit)

    def as_usual(self) -> None:
        """Use the limits of the settings file again."""
        self._speed.as_usual()

    def notices(self, person: Person) -> list[Notice]:
        """Return a notice for each reason why downloads wait for the network."""
        found = self._verdicts(person)
        texts = dict.fromkeys(one.text for one in found if one.own_only and one.text)
        code = "paused" if self._network.is_paused else "network-waits"
        return [Notice("network", "info", text, code=code) for text in texts]
