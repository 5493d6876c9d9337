"""Sessions of the web page. Only a hash of each secret is stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee

from sidecar.clock import Clock
from sidecar.errors import DatabaseError
from sidecar.store.database import Database
from sidecar.store.schema.tables import SessionRow

IDLE = timedelta(days=7)
LONGEST = timedelta(days=30)
NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A live session.

    Attributes:
        address_prefix: The network address that it began from, shortened, for the list of sessions.
        user_agent: What its browser called itself; empty if it did not, or in earlier versions.
    """

    user_id: str
    created_at: datetime
    last_used_at: datetime
    address_prefix: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class ListedSession(Session):
    """A live session in a list.

    Attributes:
        id: The hash of its secret, in hex.
    """

    id: str


class Sessions:
    """Begins, finds and ends sessions. Safe to use from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def begin(self, user_id: str, *, address_prefix: str, user_agent: str = "") -> str:
        """Begin a session and return its secret, which is stored nowhere."""
        secret = secrets.token_urlsafe(32)
        now = self._clock.now()
        with self._db.write():
            self._sweep()
            self._db.execute(
                SessionRow.insert(
                    id_hash=_hash(secret),
                    user_id=user_id,
                    created_at=now,
                    last_used_at=now,
                    address_prefix=address_prefix,
                    user_agent=user_agent,
                )
            )
        return secret

    def find(self, secret: str) -> Session | None:
        """Return the live session of a secret and record its use; None if there is none."""
        now, this = self._clock.now(), SessionRow.id_hash == _hash(secret)
        row = self._db.row(SessionRow.select().where(this, _is_live(now)))
        if row is None:
            return None
        if abs(now - row["last_used_at"]) >= NOTED_EVERY:
            # If the clock was put back, the session is counted from now on.
            noted = {"last_used_at": now, "created_at": min(row["created_at"], now)}
            # A full disk must not keep people out.
            with suppress(DatabaseError), self._db.write_lazily():
                self._db.execute(SessionRow.update(noted).where(this))
        del row["id_hash"]
        return Session(**row)

    def end(self, secret: str) -> None:
        """End one session; nothing happens if it has ended."""
        with self._db.write():
            self._db.execute(
                peewee.ModelDelete(SessionRow).where(SessionRow.id_hash == _hash(secret))
            )

    def live(self) -> list[ListedSession]:
        """Return all live sessions, the last used first."""
        query = SessionRow.select().where(_is_live(self._clock.now()))
        rows = self._db.rows(query.order_by(SessionRow.last_used_at.desc(), SessionRow.id_hash))
        return [
            ListedSession(
                user_id=row["user_id"],
                created_at=row["created_at"],
                last_used_at=row["last_used_at"],
                address_prefix=row["address_prefix"],
                user_agent=row["user_agent"],
                id=bytes(row["id_hash"]).hex(),
            )
            for row in rows
        ]

    def id_of(self, secret: str) -> str:
        """Return the id that a session has in a list."""
        return _hash(secret).hex()

    def end_listed(self, session: ListedSession) -> None:
        """End a session from a list; nothing happens if it has ended."""
        with self._db.write():
            which = SessionRow.id_hash == bytes.fromhex(session.id)
            self._db.execute(peewee.ModelDelete(SessionRow).where(which))

    def end_all(self, user_id: str) -> int:
        """End every session of an account; return how many there were."""
        with self._db.write():
            return self._db.execute(
                peewee.ModelDelete(SessionRow).where(SessionRow.user_id == user_id)
            )

    def _sweep(self) -> None:
        over = ~_is_live(self._clock.now())
        self._db.execute(peewee.ModelDelete(SessionRow).where(over))


def _is_live(now: datetime) -> peewee.Expression:
    """Whether a session is live: one of a far future is not, which no clock has been in."""
    is_used = (SessionRow.last_used_at > now - IDLE) & (SessionRow.last_used_at < now + IDLE)
    is_young = (SessionRow.created_at > now - LONGEST) & (SessionRow.created_at < now + LONGEST)
    return is_used & is_young


def derive_csrf_token(secret: str) -> str:
    """Return the CSRF token of a session; the secret cannot be derived from it."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def _hash(secret: str) -> bytes:
    # A plain, fast hash is enough: 256 random bits cannot be guessed.
    return hashlib.sha256(secret.encode()).digest()
