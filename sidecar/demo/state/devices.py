"""Tokens: one for each device and user, valid until it is revoked."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sidecar.demo.protocol.authorization import Claim
from sidecar.demo.protocol.formats import Json, new_id


@dataclass(frozen=True, slots=True)
class ClientDevice:
    """A signed-in device."""

    token: str
    user_id: str
    client: str
    device: str
    device_id: str
    version: str


class ClientDevices:
    """All valid tokens."""

    def __init__(self) -> None:
        self._by_token: dict[str, ClientDevice] = {}

    def sign_in(self, user_id: str, claim: Claim) -> tuple[ClientDevice, list[ClientDevice]]:
        """Create a token; return it and the one it replaces, of the same user and device."""
        replaced = [one for one in self.with_id(claim.device_id) if one.user_id == user_id]
        for one in replaced:
            self.sign_out(one.token)
        device = ClientDevice(
            new_id(), user_id, claim.client, claim.device, claim.device_id, claim.version
        )
        self._by_token[device.token] = device
        return device, replaced

    def find(self, token: str) -> ClientDevice | None:
        """Return the sign-in of a token, or None if it is not valid."""
        return self._by_token.get(token)

    def with_id(self, device_id: str) -> list[ClientDevice]:
        """Return every sign-in of one device."""
        return [one for one in self._by_token.values() if one.device_id == device_id]

    def of_user(self, user_id: str) -> list[ClientDevice]:
        """Return every sign-in of one user."""
        return [one for one in self._by_token.values() if one.user_id == user_id]

    def sign_out(self, token: str) -> None:
        """Revoke a token."""
        self._by_token.pop(token, None)

    def to_json(self) -> list[Json]:
        """Return all tokens as JSON, to be stored."""
        return [asdict(one) for one in self._by_token.values()]

    def restore(self, saved: list[dict[str, str]]) -> None:
        """Restore stored tokens."""
        for one in saved:
            self._by_token[one["token"]] = ClientDevice(**one)
