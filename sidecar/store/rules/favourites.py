"""The known state of each account's favourites; `domain.rules.favourite_state` decides."""

from __future__ import annotations

import json
from collections.abc import Mapping

import peewee

from sidecar.batched import batched
from sidecar.clock import Clock
from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.favourite_state import FavouriteState
from sidecar.store.database import Database
from sidecar.store.schema.tables import FavouriteStateRow

# Written by hand, to name the index: left to itself, SQLite reads every heart of the account.
IN_DOUBT = """SELECT item_id FROM hearts INDEXED BY hearts_in_doubt
    WHERE user_id = ? AND at_risk = 1
    ORDER BY changed_at"""
STATES = "SELECT item_id, is_favorite, at_risk, restore FROM hearts WHERE user_id = ?"
FAVOURITES = "SELECT item_id, item_type FROM hearts WHERE user_id = ? AND is_favorite = 1"
SAVE = """INSERT INTO hearts
        (user_id, item_id, item_type, is_favorite, at_risk, restore, changed_at)
    SELECT ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]'),
        CAST(json_extract(value, '$[2]') AS INTEGER), CAST(json_extract(value, '$[3]') AS INTEGER),
        CAST(json_extract(value, '$[4]') AS INTEGER), ?2
    FROM json_each(?3) WHERE TRUE
    ON CONFLICT (user_id, item_id) DO UPDATE SET item_type = excluded.item_type,
        is_favorite = excluded.is_favorite, at_risk = excluded.at_risk,
        restore = excluded.restore, changed_at = excluded.changed_at"""
BATCH = 500


class FavouriteStates:
    """Stores favourite states. Safe to use from any thread."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def get(self, user_id: str, item_id: str) -> FavouriteState | None:
        """Return the state of one item; None if there is none."""
        query = FavouriteStateRow.select(
            FavouriteStateRow.is_favorite, FavouriteStateRow.at_risk, FavouriteStateRow.restore
        ).where(FavouriteStateRow.user_id == user_id, FavouriteStateRow.item_id == item_id)
        row = self._db.row(query)
        return None if row is None else FavouriteState(**row)

    def save(
        self, user_id: str, item_id: str, item_type: ItemType | None, heart: FavouriteState
    ) -> None:
        """Save a state; an unknown type does not replace a known one."""
        row = FavouriteStateRow.insert(
            user_id=user_id,
            item_id=item_id,
            item_type=item_type or ItemType.OTHER,
            is_favorite=heart.is_favorite,
            at_risk=heart.at_risk,
            restore=heart.restore,
            changed_at=self._clock.now(),
        )
        kept = [
            FavouriteStateRow.is_favorite,
            FavouriteStateRow.at_risk,
            FavouriteStateRow.restore,
            FavouriteStateRow.changed_at,
        ]
        if item_type is not None:
            kept.append(FavouriteStateRow.item_type)
        with self._db.write():
            self._db.execute(
                row.on_conflict(
                    conflict_target=[FavouriteStateRow.user_id, FavouriteStateRow.item_id],
                    preserve=kept,
                )
            )

    def states(self, user_id: str) -> Mapping[str, FavouriteState]:
        """Return the states of all items of an account."""
        return {
            item_id: FavouriteState(bool(is_favorite), bool(at_risk), bool(restore))
            for item_id, is_favorite, at_risk, restore in self._db.sql(STATES, (user_id,))
        }

    def save_all(self, user_id: str, hearts: Mapping[str, tuple[ItemType, FavouriteState]]) -> None:
        """Save the states of many items with their types, few enough in each transaction."""
        moment = FavouriteStateRow.changed_at.db_value(self._clock.now())
        rows = (
            (item_id, item_type, heart.is_favorite, heart.at_risk, heart.restore)
            for item_id, (item_type, heart) in hearts.items()
        )
        for some in batched(rows, BATCH):
            with self._db.write():
                self._db.execute_sql(SAVE, (user_id, moment, json.dumps(some)))

    def forget(self, user_id: str, item_id: str) -> None:
        """Delete the state of an item that is no favourite."""
        with self._db.write():
            self._db.execute(
                peewee.ModelDelete(FavouriteStateRow).where(
                    FavouriteStateRow.user_id == user_id, FavouriteStateRow.item_id == item_id
                )
            )

    def favourites(self, user_id: str) -> Mapping[str, ItemType]:
        """Return the items with a heart; `ItemType.OTHER` where the type was never told."""
        rows = self._db.sql(FAVOURITES, (user_id,))
        return {item_id: ItemType(item_type) for item_id, item_type in rows}

    def list_in_doubt(self, user_id: str) -> list[str]:
        """Return the items whose word is at risk; what has to be said again is among them."""
        return [item_id for (item_id,) in self._db.sql(IN_DOUBT, [user_id])]
