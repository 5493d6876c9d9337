"""User data of items: favourites, play counts, positions.

Kept under an item's key, not its id, so a heart follows a tagged track to another path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sidecar.demo.library.items import BaseItemKind, DemoItem
from sidecar.demo.protocol.formats import (
    TICKS_PER_SECOND,
    Json,
    drop_nulls,
    format_date,
    parse_date,
    ticks,
)

_FINISHED = 0.90
_BEGUN = 0.05
_WORTH_RESUMING_S = 300


@dataclass(frozen=True, slots=True)
class UserData:
    """One user's history with one item."""

    is_favourite: bool = False
    played: bool = False
    play_count: int = 0
    position_ticks: int = 0
    last_played: datetime | None = None
    rating: float | None = None
    likes: bool | None = None

    def after_start(self, item: DemoItem, at: datetime, *, unticks_films: bool) -> UserData:
        """Return the data after a playback began; music counts as played then."""
        stays_played = self.played and not (unticks_films and item.kind.is_video)
        return replace(
            self,
            play_count=self.play_count + 1,
            last_played=at,
            played=stays_played or item.kind is BaseItemKind.AUDIO,
        )

    def after_position(self, item: DemoItem, position_ticks: int) -> UserData:
        """Return the data after a reported position, which may mean that the item is finished."""
        whole = ticks(item.seconds)
        share = position_ticks / whole if whole else 0.0
        is_end = share > _FINISHED or position_ticks >= whole - TICKS_PER_SECOND
        if whole and position_ticks and (is_end or _is_short_and_begun(item, share)):
            return replace(self, played=True, position_ticks=0)
        if item.kind is BaseItemKind.AUDIO or share < _BEGUN:
            return replace(self, position_ticks=0)
        return replace(self, position_ticks=position_ticks)

    def after_end(self) -> UserData:
        """Return the data after a stop without a position, which counts as finished."""
        return replace(self, play_count=self.play_count + 1, played=True, position_ticks=0)

    def mark_played(self, on: datetime | None, at: datetime) -> UserData:
        """Return the data after the item was marked as played, perhaps with a date in the past."""
        if on is not None:
            return replace(
                self, played=True, play_count=self.play_count + 1, last_played=on, position_ticks=0
            )
        return replace(
            self,
            played=True,
            play_count=max(1, self.play_count),
            last_played=self.last_played or at,
            position_ticks=0,
        )

    def mark_unplayed(self) -> UserData:
        """Return the data after the mark was cleared: without count, date and position."""
        return replace(self, played=False, play_count=0, last_played=None, position_ticks=0)

    def to_dto(self, item: DemoItem) -> Json:
        """Return the data as the API's JSON."""
        return drop_nulls(
            {
                "Rating": self.rating,
                "PlaybackPositionTicks": self.position_ticks,
                "PlayCount": self.play_count,
                "IsFavorite": self.is_favourite,
                "Likes": self.likes,
                "LastPlayedDate": format_date(self.last_played),
                "Played": self.played,
                "Key": item.key,
                "ItemId": item.id,
            }
        )


def _is_short_and_begun(item: DemoItem, share: float) -> bool:
    return share >= _BEGUN and item.seconds < _WORTH_RESUMING_S


class UserDataStore:
    """The user data of all users."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], UserData] = {}

    def get(self, user_id: str, item: DemoItem) -> UserData:
        """Return a user's data of an item, empty if there is none."""
        return self._known.get((user_id, item.key), UserData())

    def save(self, user_id: str, item: DemoItem, user_data: UserData) -> None:
        """Replace a user's data of an item."""
        self._known[user_id, item.key] = user_data

    def to_json(self) -> list[Json]:
        """Return all data as JSON, to be stored."""
        return [
            {
                "user": user_id,
                "key": key,
                "favourite": one.is_favourite,
                "played": one.played,
                "count": one.play_count,
                "position": one.position_ticks,
                "last": format_date(one.last_played),
                "rating": one.rating,
                "likes": one.likes,
            }
            for (user_id, key), one in self._known.items()
        ]

    def restore(self, saved: list[dict[str, str]]) -> None:
        """Restore stored data."""
        for one in saved:
            self._known[one["user"], one["key"]] = UserData(
                is_favourite=bool(one["favourite"]),
                played=bool(one["played"]),
                play_count=int(one["count"]),
                position_ticks=int(one["position"]),
                last_played=parse_date(one["last"]) if one["last"] else None,
                rating=float(one["rating"]) if one["rating"] is not None else None,
                likes=bool(one["likes"]) if one["likes"] is not None else None,
            )
