"""Quick Connect codes that are open, by the ticket that a browser keeps.

Any process may be asked whether one was approved, so they are in the database, sealed: whoever has
the secret of an approved code can sign in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from pydantic import SecretStr

from sidecar.clock import Clock
from sidecar.domain.accounts.sign_in_limit import CODE_LASTS_S
from sidecar.errors import SignedOut
from sidecar.jellyfin.tokens import TokenBox
from sidecar.store.meta import Meta

PREFIX = "quick-connect:"
LASTS = timedelta(seconds=CODE_LASTS_S)


@dataclass(frozen=True, slots=True)
class OpenCode:
    """A code that is open: its secret, and the Jellyfin device that it signs in."""

    secret: SecretStr
    device_id: str
    began_at: datetime


class QuickConnectCodes:
    """Keeps the codes that are open, for all processes. Safe for many threads."""

    def __init__(self, meta: Meta, box: TokenBox, clock: Clock) -> None:
        self._meta = meta
        self._box = box
        self._clock = clock

    def keep(self, secret: SecretStr, device_id: str) -> str:
        """Keep a code and return its ticket; those that are over are forgotten."""
        for key, sealed in self._meta.list_all(PREFIX).items():
            if self._read(sealed) is None:
                self._meta.take(key, sealed)
        ticket = token_urlsafe(32)
        plain = [secret.get_secret_value(), device_id, self._clock.now().isoformat()]
        self._meta.set(_key(ticket), self._box.encrypt(SecretStr(json.dumps(plain))).decode())
        return ticket

    def find(self, ticket: str) -> OpenCode | None:
        """Return the code of a ticket; None if it is over, was used, or never was."""
        sealed = self._meta.read(_key(ticket))
        return self._read(sealed) if sealed else None

    def take(self, ticket: str) -> bool:
        """Forget the code of a ticket; return whether it was there, which is true once only."""
        sealed = self._meta.read(_key(ticket))
        return sealed is not None and self._meta.take(_key(ticket), sealed)

    def _read(self, sealed: str) -> OpenCode | None:
        try:
            plain = self._box.decrypt(sealed.encode()).get_secret_value()
        except SignedOut:
            # Of a key that was replaced.
            return None
        secret, device_id, began = json.loads(plain)
        began_at = datetime.fromisoformat(began)
        if not timedelta(0) <= self._clock.now() - began_at < LASTS:
            return None
        return OpenCode(SecretStr(secret), device_id, began_at)


def _key(ticket: str) -> str:
    # Who reads the database must not be able to take the browser's place.
    return f"{PREFIX}{sha256(ticket.encode()).hexdigest()}"
