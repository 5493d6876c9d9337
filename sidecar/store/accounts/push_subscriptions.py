"""Where browsers are told of news, one for each session: it goes with the session. Sealed."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.clock import Clock
from sidecar.store.accounts.sessions import IDLE, LONGEST
from sidecar.store.database import Database
from sidecar.store.schema.fields import EPOCH, MILLISECOND

PUT = """INSERT INTO push_subscriptions (session_hash, sealed) VALUES (?, ?)
    ON CONFLICT (session_hash) DO UPDATE SET sealed = excluded.sealed"""
DROP = "DELETE FROM push_subscriptions WHERE session_hash = ?"
HAS = "SELECT 1 FROM push_subscriptions WHERE session_hash = ?"
# A session that was not used for long is over, even if nobody has swept it away yet.
OF_ACCOUNT = """SELECT p.session_hash, p.sealed
    FROM sessions AS s JOIN push_subscriptions AS p ON p.session_hash = s.id_hash
    WHERE s.user_id = ? AND s.last_used_at > ? AND s.created_at > ?
    ORDER BY s.created_at, p.session_hash"""


class PushSubscriptions:
    """Keeps the sealed subscription of each session. Safe to use from any thread.

    A session is named by its id in a list, see `Sessions.id_of`.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def put(self, session_id: str, sealed: bytes) -> None:
        """Store the subscription of a session in place of its last one."""
        with self._db.write():
            self._db.sql(PUT, (bytes.fromhex(session_id), sealed))

    def drop(self, session_id: str) -> None:
        """Forget the subscription of a session; nothing happens if it has none."""
        with self._db.write():
            self._db.sql(DROP, (bytes.fromhex(session_id),))

    def has(self, session_id: str) -> bool:
        """Whether a session has one."""
        return bool(self._db.sql(HAS, (bytes.fromhex(session_id),)))

    def of_account(self, user_id: str) -> Sequence[tuple[str, bytes]]:
        """Return the subscriptions of an account's live sessions, with the ids of these."""
        now = self._clock.now()
        since = ((now - one - EPOCH) // MILLISECOND for one in (IDLE, LONGEST))
        rows = self._db.sql(OF_ACCOUNT, (user_id, *since))
        return [(bytes(session).hex(), bytes(sealed)) for session, sealed in rows]
