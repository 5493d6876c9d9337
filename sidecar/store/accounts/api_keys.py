"""API keys for scripts: each acts as one account. Shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sidecar.clock import Clock
from sidecar.errors import DatabaseError
from sidecar.store.database import Database, Row
from sidecar.store.schema.tables import ApiKeyRow

PREFIX = "sidecar_"
# Of keys that only Jellyfin's own web client uses.
WEB_PREFIX = "sidecarweb_"
NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without the secret.

    Attributes:
        last_used_at: To the minute; None if it was never used.
        revoked_at: When it was revoked; None if it was not.
        expires_at: When it expires; None if never.
        origin: Of the pages that it is for, which may do little with it; None for a script's key.
    """

    id: int
    user_id: str
    label: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    expires_at: datetime | None
    origin: str | None = None


class ApiKeys:
    """Makes, finds and revokes keys. Safe to use from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def create(
        self,
        user_id: str,
        label: str,
        *,
        expires_at: datetime | None = None,
        origin: str | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key; return it and its secret, which cannot be shown again."""
        secret = (PREFIX if origin is None else WEB_PREFIX) + secrets.token_urlsafe(32)
        now = self._clock.now()
        with self._db.write():
            number = self._db.execute(
                ApiKeyRow.insert(
                    key_hash=_hash(secret),
                    user_id=user_id,
                    label=label,
                    created_at=now,
                    expires_at=expires_at,
                    origin=origin,
                )
            )
        return ApiKey(number, user_id, label, now, None, None, expires_at, origin), secret

    def find(self, secret: str, origin: str | None = None) -> ApiKey | None:
        """Return the key and record its use; None if it is unknown, revoked or expired.

        A key for the pages of one origin is unknown to all others, and to programs (None).
        """
        now = self._clock.now()
        row = self._db.row(
            ApiKeyRow.select().where(
                ApiKeyRow.key_hash == _hash(secret),
                ApiKeyRow.origin.is_null() if origin is None else ApiKeyRow.origin == origin,
                ApiKeyRow.revoked_at.is_null(),
                ApiKeyRow.expires_at.is_null() | (ApiKeyRow.expires_at > now),
            )
        )
        if row is None:
            return None
        if row["last_used_at"] is None or now - row["last_used_at"] >= NOTED_EVERY:
            # A full disk must not keep people out.
            with suppress(DatabaseError), self._db.write_lazily():
                self._db.execute(
                    ApiKeyRow.update(last_used_at=now).where(ApiKeyRow.id == row["id"])
                )
        return _to_key(row)

    def revoke(self, key_id: int) -> bool:
        """Revoke a key; return whether it was not revoked before."""
        with self._db.write():
            return bool(
                self._db.execute(
                    ApiKeyRow.update(revoked_at=self._clock.now()).where(
                        ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_null()
                    )
                )
            )

    def revoke_all(self, user_id: str) -> int:
        """Revoke all keys of an account; return how many were not revoked before."""
        with self._db.write():
            return self._db.execute(
                ApiKeyRow.update(revoked_at=self._clock.now()).where(
                    ApiKeyRow.user_id == user_id, ApiKeyRow.revoked_at.is_null()
                )
            )

    def of_account(self, user_id: str) -> list[ApiKey]:
        """Return all keys of an account, revoked ones too, oldest first."""
        query = ApiKeyRow.select().where(ApiKeyRow.user_id == user_id).order_by(ApiKeyRow.id)
        return [_to_key(row) for row in self._db.rows(query)]


def _to_key(row: Row) -> ApiKey:
    return ApiKey(**{name: value for name, value in row.items() if name != "key_hash"})


def _hash(secret: str) -> bytes:
    # A plain, fast hash is enough: 256 random bits cannot be guessed.
    return hashlib.sha256(secret.encode()).digest()
