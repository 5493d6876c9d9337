"""What accounts hold and may not see on the server any more, and the libraries they could see."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sidecar.clock import Clock
from sidecar.domain.wishes import Hold, Reason
from sidecar.messages import restore
from sidecar.store.database import Database
from sidecar.store.schema.fields import EPOCH, MILLISECOND

HELD = """SELECT DISTINCT downloads.item_id, item_type, coalesce(album_id, series_id, item_id),
        file_path
    FROM holds JOIN downloads USING (device_id, item_id)
    WHERE holds.user_id = ? AND release_at IS NULL"""
RIGHTS = "SELECT rights, libraries FROM seen_libraries WHERE user_id = ?"
SEEN = """INSERT INTO seen_libraries (user_id, rights, libraries) VALUES (?, ?, ?)
    ON CONFLICT (user_id) DO UPDATE SET rights = excluded.rights, libraries = excluded.libraries"""
HIDE = """INSERT OR IGNORE INTO hidden_items (user_id, item_id, library, since)
    SELECT ?, key, value, ? FROM json_each(?) WHERE true"""
# A look may have taken it for gone.
NOT_GONE = """UPDATE downloads SET gone_since = NULL
    WHERE gone_since IS NOT NULL AND item_id IN (SELECT key FROM json_each(?))"""
SHOWN_AGAIN = """DELETE FROM hidden_items
    WHERE user_id = ? AND item_id NOT IN (SELECT value FROM json_each(?)) RETURNING item_id"""
# Only what is still held because of a lasting reason: what was let go concerns nobody any more.
STILL_HELD = """EXISTS (SELECT 1 FROM holds WHERE holds.user_id = hidden_items.user_id
    AND holds.device_id = downloads.device_id AND holds.item_id = downloads.item_id
    AND release_at IS NULL)"""
THERE = "status = 'completed' AND missing_since IS NULL"
IS_ANY = "SELECT 1 FROM hidden_items LIMIT 1"
FILES = f"""SELECT hidden_items.user_id, accounts.name, library, is_kept, count(*),
        coalesce(sum(file_size), 0), min(since)
    FROM hidden_items JOIN accounts USING (user_id)
        CROSS JOIN downloads ON downloads.item_id = hidden_items.item_id
    WHERE {THERE} AND {STILL_HELD}
    GROUP BY hidden_items.user_id, accounts.name, name_key, library, is_kept
    ORDER BY name_key, coalesce(library, '')"""  # noqa: S608 - ours
OF_DOWNLOADS = f"""SELECT downloads.id, hidden_items.user_id, library, since
    FROM json_each(?) AS one CROSS JOIN downloads ON downloads.id = CAST(one.value AS INTEGER)
        JOIN hidden_items ON hidden_items.item_id = downloads.item_id
    WHERE {STILL_HELD}"""  # noqa: S608 - ours
HOLDS = """SELECT holds.id, holds.user_id, device_id, holds.item_id, rule, source_id, text
    FROM hidden_items JOIN holds USING (user_id, item_id)
    WHERE user_id = ? AND release_at IS NULL
        AND (CAST(? AS TEXT) IS NULL OR coalesce(library, '') = ?)"""
KEEP = """UPDATE hidden_items SET is_kept = 1
    WHERE user_id = ? AND (CAST(? AS TEXT) IS NULL OR coalesce(library, '') = ?)"""


@dataclass(frozen=True, slots=True)
class SeenLibrary:
    """A library that an account could see; its type as Jellyfin names it."""

    name: str
    type: str | None


@dataclass(frozen=True, slots=True)
class HeldItem:
    """An item that an account holds on any device.

    Attributes:
        place: Its album or series, else itself.
    """

    item_id: str
    item_type: str
    place: str
    file_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenFiles:
    """Files that an account holds and whose items it may not see any more.

    Attributes:
        library: The library that it lost; None if that is not known.
        is_kept: A person said that they stay.
    """

    user_id: str
    name: str
    library: str | None
    is_kept: bool
    files: int
    bytes: int
    since: datetime


@dataclass(frozen=True, slots=True)
class HiddenFrom:
    """The account that holds a file and may not see its item any more."""

    user_id: str
    library: str | None
    since: datetime


class HiddenItems:
    """Stores what is hidden from accounts. Safe to use from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        # Every page asks, and mostly there is nothing: that is remembered until something changes.
        self._changes = 0
        self._empty_since: int | None = None

    def held(self, user_id: str) -> list[HeldItem]:
        """Return what an account holds for lasting reasons, on all devices."""
        return [HeldItem(*row) for row in self._db.sql(HELD, (user_id,))]

    def seen(self, user_id: str) -> tuple[str, Mapping[str, SeenLibrary]] | None:
        """Return an account's rights as they were last, and its libraries by id."""
        found = self._db.sql(RIGHTS, (user_id,))
        if not found:
            return None
        rights, libraries = found[0]
        return rights, {id_: SeenLibrary(*one) for id_, one in json.loads(libraries).items()}

    def record_seen(self, user_id: str, rights: str, libraries: Mapping[str, SeenLibrary]) -> None:
        """Store an account's rights, and the libraries that it sees."""
        told = json.dumps({id_: (one.name, one.type) for id_, one in libraries.items()})
        with self._db.write():
            self._db.sql(SEEN, (user_id, rights, told))

    def record_hidden(self, user_id: str, hidden: Mapping[str, str | None]) -> bool:
        """Store all items that are hidden from an account; what is hidden already stays as it is.

        Args:
            user_id: The account.
            hidden: The name of the library that each was in, by the item's id.

        Returns:
            Whether it sees any again.
        """
        now = (self._clock.now() - EPOCH) // MILLISECOND
        with self._db.write():
            ids = json.dumps(sorted(hidden))
            shown = self._db.execute_sql(SHOWN_AGAIN, (user_id, ids))
            self._db.sql(HIDE, (user_id, now, json.dumps(dict(hidden))))
            self._db.sql(NOT_GONE, (json.dumps(dict(hidden)),))
            self._db.after_commit(self._note_change)
        return bool(shown)

    def ids(self, user_id: str) -> frozenset[str]:
        """Return the items that are hidden from an account."""
        found = self._db.sql("SELECT item_id FROM hidden_items WHERE user_id = ?", (user_id,))
        return frozenset(one for (one,) in found)

    def files(self) -> list[HiddenFiles]:
        """Return the files that are there and hidden from accounts that hold them."""
        changes = self._changes
        if self._empty_since == changes:
            return []
        if not self._db.sql(IS_ANY):
            self._empty_since = changes
            return []
        return [
            HiddenFiles(
                user_id=user_id,
                name=name,
                library=library,
                is_kept=bool(is_kept),
                files=files,
                bytes=size,
                since=_moment(since),
            )
            for user_id, name, library, is_kept, files, size, since in self._db.once(
                HiddenItems, lambda: self._db.sql(FILES)
            )
        ]

    def _note_change(self) -> None:
        self._changes += 1

    def of_downloads(self, download_ids: Collection[int]) -> Mapping[int, list[HiddenFrom]]:
        """Return from which of its holders each of these downloads is hidden."""
        found: dict[int, list[HiddenFrom]] = {}
        for download_id, user_id, library, since in self._db.sql(
            OF_DOWNLOADS, (json.dumps(list(download_ids)),)
        ):
            one = HiddenFrom(user_id, library, _moment(since))
            found.setdefault(download_id, []).append(one)
        return found

    def holds(self, user_id: str, library: str | None) -> list[Hold]:
        """Return the lasting holds of an account on what is hidden from it.

        Args:
            user_id: The account.
            library: Only what was in this library, "" for an unknown one; None means all.
        """
        return [
            Hold(id_, user, device_id, item_id, Reason(rule, source_id, restore(text)), None)
            for id_, user, device_id, item_id, rule, source_id, text in self._db.sql(
                HOLDS, (user_id, library, library)
            )
        ]

    def keep(self, user_id: str, library: str | None) -> None:
        """Record that a person wants the hidden files to stay: nobody is told of them again."""
        with self._db.write():
            self._db.sql(KEEP, (user_id, library, library))


def _moment(stored: int) -> datetime:
    return EPOCH + stored * MILLISECOND
