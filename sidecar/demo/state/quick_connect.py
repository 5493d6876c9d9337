"""Quick Connect: a code on one screen, approved on another. Kept in memory only."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from datetime import datetime

from sidecar.demo.protocol.authorization import Claim
from sidecar.demo.protocol.formats import Json, format_date, now
from sidecar.demo.state.devices import ClientDevice

_LINGERS = 1.1


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """One request to sign in.

    Attributes:
        device: The sign-in that an approval made; None before.
        until: The monotonic time after which nobody may approve it, or fetch what it gave.
    """

    secret: str
    code: str
    claim: Claim
    added: datetime
    until: float
    device: ClientDevice | None = None

    def to_dto(self) -> Json:
        """Return the request as the API's JSON."""
        return {
            "Authenticated": self.device is not None,
            "Secret": self.secret,
            "Code": self.code,
            "DeviceId": self.claim.device_id,
            "DeviceName": self.claim.device,
            "AppName": self.claim.client,
            "AppVersion": self.claim.version,
            "DateAdded": format_date(self.added),
        }


class QuickConnect:
    """The requests that have not expired."""

    def __init__(self, lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self._requests: dict[str, PendingSignIn] = {}

    def initiate(self, claim: Claim) -> PendingSignIn:
        """Begin a request for the device that a claim names."""
        code = f"{secrets.randbelow(1_000_000):06d}"
        until = time.monotonic() + self._lasts_s
        request = PendingSignIn(secrets.token_hex(32).upper(), code, claim, now(), until)
        self._requests[request.secret] = request
        return request

    def find(self, secret: str) -> PendingSignIn | None:
        """Return the request of a secret; None if there is none, or it has expired."""
        self._expire()
        return self._requests.get(secret)

    def find_by_code(self, code: str) -> PendingSignIn | None:
        """Return the request of a code that nobody has approved yet."""
        self._expire()
        waiting = (one for one in self._requests.values() if one.device is None)
        return next((one for one in waiting if one.code == code), None)

    def approve(self, request: PendingSignIn, device: ClientDevice) -> None:
        """Approve a request; it stays valid a little longer then."""
        until = time.monotonic() + self._lasts_s * _LINGERS
        self._requests[request.secret] = replace(request, device=device, until=until)

    def _expire(self) -> None:
        moment = time.monotonic()
        self._requests = {key: one for key, one in self._requests.items() if one.until > moment}
