"""The playlists, artists, albums and series that people keep in sync on their devices.

In the order in which they chose them.
"""

from __future__ import annotations

import peewee

from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.context import Chosen
from sidecar.store.database import Database
from sidecar.store.schema.tables import ChosenPlaylistRow

FORGET = """DELETE FROM playlist_orders WHERE user_id = ? AND playlist_id = ?
    AND (user_id, playlist_id) NOT IN (SELECT user_id, playlist_id FROM chosen_playlists)"""


class ChosenPlaylists:
    """Remembers the choices. Safe to use from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def choose(self, user_id: str, device_id: str, chosen: Chosen) -> None:
        """Add a playlist at the end; one that is there keeps its place and takes the title."""
        row = ChosenPlaylistRow.insert(
            user_id=user_id,
            device_id=device_id,
            playlist_id=chosen.playlist_id,
            title=chosen.title,
            kind=str(chosen.kind),
        )
        key = [
            ChosenPlaylistRow.user_id,
            ChosenPlaylistRow.device_id,
            ChosenPlaylistRow.playlist_id,
        ]
        with self._db.write():
            self._db.execute(
                row.on_conflict(conflict_target=key, preserve=[ChosenPlaylistRow.title])
            )

    def drop(self, user_id: str, device_id: str, playlist_id: str) -> bool:
        """Take a choice back; what is known of the playlist goes with the last one.

        Returns:
            Whether there was one.
        """
        with self._db.write():
            dropped = self._db.execute(
                peewee.ModelDelete(ChosenPlaylistRow).where(
                    ChosenPlaylistRow.user_id == user_id,
                    ChosenPlaylistRow.device_id == device_id,
                    ChosenPlaylistRow.playlist_id == playlist_id,
                )
            )
            self._db.execute_sql(FORGET, [user_id, playlist_id])
        return bool(dropped)

    def of(self, user_id: str, device_id: str) -> tuple[Chosen, ...]:
        """Return what a user chose for a device, first choice first."""
        query = ChosenPlaylistRow.select().where(
            ChosenPlaylistRow.user_id == user_id, ChosenPlaylistRow.device_id == device_id
        )
        return tuple(
            Chosen(playlist_id=row["playlist_id"], title=row["title"], kind=ItemType(row["kind"]))
            for row in self._db.rows(query.order_by(ChosenPlaylistRow.id))
        )

    def titles_of(self, user_id: str) -> dict[str, str]:
        """Return the titles of all playlists that a user chose for any device, by their ids."""
        query = ChosenPlaylistRow.select().where(
            ChosenPlaylistRow.user_id == user_id,
            ChosenPlaylistRow.kind == str(ItemType.PLAYLIST),
        )
        rows = self._db.rows(query.order_by(ChosenPlaylistRow.id))
        return {row["playlist_id"]: row["title"] for row in rows}
