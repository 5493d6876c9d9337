"""The playlists that people chose for their devices, in the order they chose them."""

from __future__ import annotations

import peewee

from sidecar.domain.rules.context import Chosen
from sidecar.store.choices import ChosenPlaylistRow
from sidecar.store.database import Database


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
        )
        key = [
            ChosenPlaylistRow.user_id,
            ChosenPlaylistRow.device_id,
            ChosenPlaylistRow.playlist_id,
        ]
        with self._db.write():
            self._db.change(
                row.on_conflict(conflict_target=key, preserve=[ChosenPlaylistRow.title])
            )

    def drop(self, user_id: str, device_id: str, playlist_id: str) -> bool:
        """Take a choice back; return whether there was one."""
        with self._db.write():
            return bool(
                self._db.change(
                    peewee.ModelDelete(ChosenPlaylistRow).where(
                        ChosenPlaylistRow.user_id == user_id,
                        ChosenPlaylistRow.device_id == device_id,
                        ChosenPlaylistRow.playlist_id == playlist_id,
                    )
                )
            )

    def of(self, user_id: str, device_id: str) -> tuple[Chosen, ...]:
        """Return what a user chose for a device, first choice first."""
        query = ChosenPlaylistRow.select().where(
            ChosenPlaylistRow.user_id == user_id, ChosenPlaylistRow.device_id == device_id
        )
        return tuple(
            Chosen(playlist_id=row["playlist_id"], title=row["title"])
            for row in self._db.rows(query.order_by(ChosenPlaylistRow.id))
        )
