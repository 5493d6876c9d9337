"""API keys that people make and revoke for themselves. A key acts as its account, no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sidecar.errors import NotVisible
from sidecar.events import AccountChanged, Bus
from sidecar.services.accounts.person import Person
from sidecar.store.accounts.api_keys import ApiKey, ApiKeys

MOST_KEYS = 50


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    """An API key as its owner sees it; the key itself is shown only once.

    Attributes:
        last_used_at: None if it was never used.
    """

    id: int
    label: str
    created_at: datetime
    last_used_at: datetime | None


class ApiKeyService:
    """Makes and revokes people's API keys. Safe for many threads."""

    def __init__(self, api_keys: ApiKeys, bus: Bus) -> None:
        self._api_keys = api_keys
        self._bus = bus

    def keys(self, person: Person) -> Sequence[ApiKeyView]:
        """List the keys of this account that work."""
        return [_view(one) for one in self._working(person)]

    def make_key(self, person: Person, label: str) -> tuple[ApiKeyView, str] | None:
        """Make a key; None if the account has too many."""
        if len(self._working(person)) >= MOST_KEYS:
            return None
        key, secret = self._api_keys.create(person.user_id, label)
        return _view(key), secret

    def revoke_key(self, person: Person, key_id: int) -> None:
        """Refuse a key of this account.

        Raises:
            errors.NotVisible: It has none of this id that works.
        """
        if key_id not in {one.id for one in self._working(person)}:
            raise NotVisible
        # If somebody was quicker, that is what was asked for.
        self._api_keys.revoke(key_id)
        self._bus.publish(AccountChanged(person.user_id))

    def _working(self, person: Person) -> list[ApiKey]:
        keys = self._api_keys.of_account(person.user_id)
        return [one for one in keys if one.revoked_at is None]


def _view(key: ApiKey) -> ApiKeyView:
    return ApiKeyView(key.id, key.label, key.created_at, key.last_used_at)
