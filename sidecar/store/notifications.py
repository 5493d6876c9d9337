"""How each person is told what happens: what they chose, their sealed addresses, what was told.

Kept among the choices of the person, so that all of it goes with the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sidecar.domain.downloads.download import Status
from sidecar.store.accounts.choices import Choices
from sidecar.store.database import Database
from sidecar.store.downloads.activity import Happening
from sidecar.store.schema.fields import EPOCH, MILLISECOND

CHOSEN = "notifications"
ADDRESSES = "notification-addresses"
MEMORY = "notification-memory"
NEWEST = "SELECT coalesce(max(id), 0) FROM activity"
CAME = """SELECT count(*), coalesce(max(a.id), 0), coalesce(sum(a.bytes), 0)
    FROM activity_of AS o CROSS JOIN activity AS a ON a.id = o.activity_id
    WHERE o.user_id = ? AND o.activity_id > ? AND a.device_id = ? AND a.kind = ?"""
FAILED = """SELECT count(DISTINCT d.id), coalesce(max(a.id), 0), 0
    FROM activity_of AS o CROSS JOIN activity AS a ON a.id = o.activity_id
    JOIN downloads AS d ON d.device_id = a.device_id AND d.item_id = a.item_id
    WHERE o.user_id = ? AND o.activity_id > ? AND a.kind = ?
        AND d.status = ? AND d.retry_next_at IS NULL"""
LATELY = """SELECT a.kind, count(*), coalesce(sum(a.bytes), 0)
    FROM activity_of AS o CROSS JOIN activity AS a ON a.id = o.activity_id
    WHERE o.user_id = ? AND a.at >= ? GROUP BY a.kind"""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many files something happened to.

    Attributes:
        newest: The id of the newest entry among them; 0 if there is none.
    """

    files: int = 0
    newest: int = 0
    bytes: int = 0


class NotificationStore:
    """Stores what each person chose, and counts what happened. Safe to use from any thread."""

    def __init__(self, db: Database, choices: Choices) -> None:
        self._db = db
        self._choices = choices

    def get(self, user_id: str, what: str) -> str | None:
        """Return one of the stored texts; None if there is none."""
        return self._choices.of(user_id, what)

    def put(self, user_id: str, what: str, text: str) -> None:
        """Store one of the texts."""
        self._choices.put(user_id, what, text)

    def newest(self) -> int:
        """Return the id of the newest entry of the activity."""
        ((newest,),) = self._db.sql(NEWEST)
        return int(newest)

    def came(self, user_id: str, device_id: str, after: int) -> Counted:
        """Count the files that came to a device for an account after an entry."""
        asked = (user_id, after, device_id, str(Happening.CAME))
        return Counted(*self._db.sql(CAME, asked)[0])

    def failed(self, user_id: str, after: int) -> Counted:
        """Count what failed for an account after an entry and is not tried again by itself."""
        asked = (user_id, after, str(Happening.FAILED), str(Status.FAILED))
        return Counted(*self._db.sql(FAILED, asked)[0])

    def lately(self, user_id: str, since: datetime) -> Mapping[Happening, Counted]:
        """Count what happened to files of an account since then, by what it was."""
        rows = self._db.sql(LATELY, (user_id, (since - EPOCH) // MILLISECOND))
        return {Happening(kind): Counted(files, 0, size) for kind, files, size in rows}
