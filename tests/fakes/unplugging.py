"""Pulling devices out, in memory, for the web alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from sidecar.services.accounts.person import Person


@dataclass
class FakeUnplugging:
    """Implements `UnplugDesk`.

    Unlike the real one it knows the devices of `known` alone, stops no transfer and closes no
    folder.
    """

    known: set[str] = field(default_factory=lambda: {"stick"})
    out: set[str] = field(default_factory=set)

    def eject(self, person: Person, device_id: str) -> bool:
        if device_id not in self.known:
            return False
        self.out.add(device_id)
        return True

    def reattach(self, person: Person, device_id: str) -> bool:
        if device_id not in self.known:
            return False
        self.out.discard(device_id)
        return True

    def is_ejected(self, device_id: str) -> bool:
        return device_id in self.out
