"""Tokens: one for each device and user, good until somebody takes it away."""

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
    """All tokens that are good."""

    def __init__(self) -> None:
        self._by_token: dict[str, ClientDevice] = {}

    def sign_in(self, user_id: str, claim: Claim) -> tuple[ClientDevice, list[ClientDevice]]:
        """Make a token; return it, and what it replaces: the user's own for the same device id."""
        replaced = [one for one in self.with_id(claim.device_id) if one.user_id == user_id]
        for one in replaced:
            self.sign_out(one.token)
        device = ClientDevice(
            new_id(), user_id, claim.client, claim.device, claim.device_id, claim.version
        )
        self._by_token[device.token] = device
        return device, replaced

    def find(self, token: str) -> ClientDevice | None:
        """Return whose token it is, or None if it is not good."""
        return self._by_token.get(token)

    def with_id(self, device_id: str) -> list[ClientDevice]:
        """Return every sign-in of one device."""
        return [one for one in self._by_token.values() if one.device_id == device_id]

    def of_user(self, user_id: str) -> list[ClientDevice]:
        """Return every sign-in of one user."""
        return [one for one in self._by_token.values() if one.user_id == user_id]

    def sign_out(self, token: str) -> None:
        """Make a token worthless."""
        self._by_token.pop(token, None)

    def to_json(self) -> list[Json]:
        """Return all tokens, to be kept over a restart."""
        return [asdict(one) for one in self._by_token.values()]

    def restore(self, saved: list[dict[str, str]]) -> None:
        """Take up tokens that were kept."""
        for one in saved:
            self._by_token[one["token"]] = ClientDevice(**one)
