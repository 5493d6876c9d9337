"""The playlists as they were listed last, and what of them is complete on a device.

    learn ─▶ order ─────────────┐
    seen ──▶ name (of choices) ─┼─▶ chosen_on, entries
    missing ─▶ … ─▶ gone ───────┘

What is not there, or not whole, changes no order: only a whole listing does. News are told after
the commit, and only of what has changed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sidecar.domain.files.m3u import PlaylistEntry
from sidecar.domain.items.item import ItemType
from sidecar.domain.items.natural_sort import natural_key
from sidecar.events import Bus, PlaylistChanged
from sidecar.store.database import Database
from sidecar.store.schema.fields import EPOCH, MILLISECOND

LEARN = """INSERT INTO playlist_orders (user_id, playlist_id, items) VALUES (?, ?, ?)
    ON CONFLICT (user_id, playlist_id) DO UPDATE
    SET items = excluded.items, missing_since = NULL, is_gone = 0
    WHERE playlist_orders.items <> excluded.items OR playlist_orders.missing_since IS NOT NULL
    RETURNING 1"""
SEEN = """UPDATE playlist_orders SET missing_since = NULL, is_gone = 0
    WHERE user_id = ? AND playlist_id = ? AND missing_since IS NOT NULL RETURNING 1"""
RENAME = """UPDATE chosen_playlists SET title = ?
    WHERE user_id = ? AND playlist_id = ? AND title <> ? RETURNING 1"""
MISSING = """INSERT INTO playlist_orders (user_id, playlist_id, items, missing_since)
    VALUES (?, ?, '[]', ?)
    ON CONFLICT (user_id, playlist_id) DO UPDATE SET missing_since = excluded.missing_since
    WHERE playlist_orders.missing_since IS NULL
    RETURNING 1"""
GONE = """UPDATE playlist_orders SET is_gone = 1
    WHERE user_id = ? AND playlist_id = ? AND is_gone = 0 AND missing_since <= ? RETURNING 1"""
IS_CHOSEN = """SELECT 1 FROM chosen_playlists
    WHERE user_id = ? AND playlist_id = ? AND kind = 'Playlist' LIMIT 1"""
CHOSEN = """SELECT user_id, accounts.name, playlist_id, title,
        coalesce(json_array_length(items), 0) > 0, coalesce(is_gone, 0)
    FROM chosen_playlists JOIN accounts USING (user_id)
    LEFT JOIN playlist_orders USING (user_id, playlist_id)
    WHERE device_id = ? AND kind = 'Playlist' ORDER BY id"""
FACTS = "file_path, title, artist, seconds"
ENTRIES = f"""SELECT {FACTS} FROM playlist_orders, json_each(items) AS one
    JOIN downloads ON item_id = one.value
    WHERE playlist_orders.user_id = ? AND playlist_id = ?
        AND device_id = ? AND status = 'completed' AND downloads.missing_since IS NULL
    ORDER BY CAST(one.key AS INTEGER)"""  # noqa: S608 - columns of ours
HEARTS = f"""SELECT hearts.user_id, accounts.name, {FACTS} FROM hearts
    JOIN accounts USING (user_id) JOIN downloads USING (item_id)
    WHERE is_favorite = 1 AND device_id = ? AND status = 'completed' AND downloads.item_type = ?
        AND downloads.missing_since IS NULL
    ORDER BY hearts.user_id, file_path"""  # noqa: S608 - columns of ours
ALBUMS = f"""SELECT album_id, album, path_key, {FACTS} FROM downloads
    WHERE device_id = ? AND status = 'completed' AND item_type = ?
        AND album_id IS NOT NULL AND album IS NOT NULL AND missing_since IS NULL"""  # noqa: S608 - columns of ours

Statement = tuple[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class ChosenList:
    """A playlist that somebody chose for a device.

    Attributes:
        is_known: Its order was seen at least once.
        is_gone: The server has it no more, for certain.
    """

    user_id: str
    user_name: str
    playlist_id: str
    title: str
    is_known: bool
    is_gone: bool


@dataclass(frozen=True, slots=True)
class FavouritesList:
    """What of a person's favourites is on a device."""

    user_id: str
    user_name: str
    entries: tuple[PlaylistEntry, ...]


@dataclass(frozen=True, slots=True)
class AlbumList:
    """What of an album is on a device, in the album's order.

    Attributes:
        entries: One at least.
    """

    album_id: str
    album: str
    entries: Sequence[PlaylistEntry]


class PlaylistOrders:
    """Remembers orders. Safe to use from any thread."""

    def __init__(self, db: Database, bus: Bus) -> None:
        self._db = db
        self._bus = bus

    def learn(self, user_id: str, playlist_id: str, item_ids: Sequence[str]) -> bool:
        """Remember a playlist as it was listed, whole; return whether it was another before."""
        values = [user_id, playlist_id, json.dumps(list(item_ids))]
        return self._change(user_id, playlist_id, (LEARN, values))

    def record_seen(self, user_id: str, playlist_id: str, title: str) -> bool:
        """Note that a playlist is there, and its name; return whether that is something new."""
        which = [user_id, playlist_id]
        rename = (RENAME, [title, *which, title])
        return self._change(user_id, playlist_id, (SEEN, which), rename)

    def record_missing(
        self, user_id: str, playlist_id: str, now: datetime, *, sure_after: timedelta
    ) -> bool:
        """Note that the server has said that there is no such playlist.

        Returns:
            Whether it counts as gone from now on: the server said so before, long enough ago.
        """
        since, long_ago = [(at - EPOCH) // MILLISECOND for at in (now, now - sure_after)]
        with self._db.write():
            self._db.execute_sql(MISSING, [user_id, playlist_id, since])
            gone = (GONE, [user_id, playlist_id, long_ago])
            return self._change(user_id, playlist_id, gone)

    def is_chosen(self, user_id: str, playlist_id: str) -> bool:
        """Return whether a person chose a playlist for any device."""
        return bool(self._db.sql(IS_CHOSEN, (user_id, playlist_id)))

    def chosen_on(self, device_id: str) -> Sequence[ChosenList]:
        """Return the playlists that were chosen for a device, first chosen first."""
        return [
            ChosenList(user_id, name, playlist_id, title, bool(is_known), bool(is_gone))
            for user_id, name, playlist_id, title, is_known, is_gone in self._db.sql(
                CHOSEN, (device_id,)
            )
        ]

    def entries(self, user_id: str, playlist_id: str, device_id: str) -> Sequence[PlaylistEntry]:
        """Return what of a playlist is complete on a device, in its order, repeats included."""
        return [
            PlaylistEntry(*row) for row in self._db.sql(ENTRIES, (user_id, playlist_id, device_id))
        ]

    def hearts_on(self, device_id: str) -> Sequence[FavouritesList]:
        """Return the tracks with a heart that are complete on a device, for each person."""
        found: dict[tuple[str, str], list[PlaylistEntry]] = {}
        for user_id, name, *facts in self._db.sql(HEARTS, (device_id, ItemType.AUDIO)):
            found.setdefault((user_id, name), []).append(PlaylistEntry(*facts))
        return [FavouritesList(*who, tuple(entries)) for who, entries in found.items()]

    def albums_on(self, device_id: str) -> Sequence[AlbumList]:
        """Return the albums of which something is complete on a device, by artist and title."""
        found: dict[str, list[tuple[str, str, PlaylistEntry]]] = {}
        for album_id, album, key, *facts in self._db.sql(ALBUMS, (device_id, ItemType.AUDIO)):
            found.setdefault(album_id, []).append((key, album, PlaylistEntry(*facts)))
        for tracks in found.values():
            tracks.sort(key=lambda one: natural_key(one[0]))
        in_order = sorted(found.items(), key=lambda one: natural_key(one[1][0][0]))
        return [
            AlbumList(album_id, tracks[0][1], [entry for _, _, entry in tracks])
            for album_id, tracks in in_order
        ]

    def _change(self, user_id: str, playlist_id: str, *statements: Statement) -> bool:
        with self._db.write():
            changed = [self._db.execute_sql(*one) for one in statements]
            if any(changed):
                news = PlaylistChanged(user_id, playlist_id)
                self._db.after_commit(partial(self._bus.publish, news))
        return any(changed)
