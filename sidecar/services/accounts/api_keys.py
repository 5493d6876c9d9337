"""API keys that people create and revoke. A key has the rights of its account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.clock import Clock
from sidecar.errors import NotVisible
from sidecar.events import AccountChanged, Bus
from sidecar.services.accounts.person import Person
from sidecar.store.accounts.api_keys import ApiKey, ApiKeys

MOST_KEYS = 50
LASTS_DAYS = 365
LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """An API key as its owner sees it, without the secret.

    Attributes:
        last_used_at: None if it was never used.
        expires_at: Refused from then on; None if it never is.
        origin: The pages of Jellyfin that it is for, which may do little with it; None for a
            program's key.
    """

    id: int
    label: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    is_expired: bool
    origin: str | None


class ApiKeyService:
    """Lists, creates and revokes API keys. Safe for many threads."""

    def __init__(self, api_keys: ApiKeys, bus: Bus, clock: Clock) -> None:
        self._api_keys = api_keys
        self._bus = bus
        self._clock = clock

    def keys(self, person: Person) -> Sequence[ApiKeyView]:
        """List the keys of this account that were not revoked."""
        return [self._view(one) for one in self._kept(person)]

    def make_key(
        self,
        person: Person,
        label: str,
        *,
        days: int | None = LASTS_DAYS,
        origin: str | None = None,
    ) -> tuple[ApiKeyView, str] | None:
        """Make a key that expires after `days` (None: never) and return it with its secret.

        With an origin it is only for Jellyfin's pages there.

        Returns:
            None if the account has too many keys already.
        """
        if len(self._kept(person)) >= MOST_KEYS:
            return None
        key, secret = self._api_keys.create(
            person.user_id, label, expires_at=expiry(self._clock.now(), days), origin=origin
        )
        return self._view(key), secret

    def revoke_key(self, person: Person, key_id: int) -> None:
        """Revoke a key of this account.

        Raises:
            errors.NotVisible: It has no such key.
        """
        if key_id not in {one.id for one in self._kept(person)}:
            raise NotVisible
        # A key that was revoked meanwhile is no error.
        self._api_keys.revoke(key_id)
        self._bus.publish(AccountChanged(person.user_id))

    def revoke_all(self, person: Person) -> int:
        """Revoke all keys of this account; return how many there were."""
        revoked = self._api_keys.revoke_all(person.user_id)
        self._bus.publish(AccountChanged(person.user_id))
        return revoked

    def _kept(self, person: Person) -> list[ApiKey]:
        keys = self._api_keys.of_account(person.user_id)
        return [one for one in keys if one.revoked_at is None]

    def _view(self, key: ApiKey) -> ApiKeyView:
        is_expired = key.expires_at is not None and key.expires_at <= self._clock.now()
        return ApiKeyView(
            key.id,
            key.label,
            key.created_at,
            key.last_used_at,
            key.expires_at,
            is_expired,
            key.origin,
        )


def expiry(now: datetime, days: int | None) -> datetime | None:
    """Return when a key that is made now expires; None if it never does."""
    return None if days is None else now + timedelta(days=days)
