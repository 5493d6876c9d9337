"""Reads and writes an account's play state: count, last date, played mark, position, heart.

The date is written only where it moves forward: Jellyfin's own is more precise than what we keep,
so writing it back would set it to a moment earlier.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sidecar.batched import batched
from sidecar.domain.player_logs.matching import Tally
from sidecar.domain.player_logs.states import NEAR_S, UserState
from sidecar.errors import UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.http.connection import Body, Query
from sidecar.jellyfin.http.responses import Answer, Unconfirmed, check_answer, read
from sidecar.jellyfin.models import (
    ITEM_STATES,
    TICKS_PER_SECOND,
    USER_ITEM_DATA,
    ItemStateData,
    UserItemData,
)
from sidecar.messages import msg

IDS_AT_ONCE = 50


class PlayStates:
    """Play states of one account. Raises what `Jellyfin` raises."""

    def __init__(self, client: Jellyfin) -> None:
        self._client = client

    def of(self, item_id: str) -> Tally:
        """Fetch the play state of an item.

        Raises:
            NotFound: The item is not there, or hidden from this account.
        """
        return _read_tally(self._ask("GET", "UserItems", item_id, "UserData"))

    def set(self, item_id: str, before: Tally, after: Tally) -> None:
        """Change the play state of an item.

        Args:
            item_id: The item.
            before: Its play state now.
            after: Its new play state; equal fields are not written.

        Raises:
            NotAllowed: The account may not change it; nothing was changed.
            NotFound: As `of`.
        """
        body: Body = {"PlayCount": after.count}
        if after.last is not None and after.last != before.last:
            body["LastPlayedDate"] = _format_date(after.last)
        if after.is_played and not before.is_played:
            body["Played"] = True
        answer = self._ask("POST", "UserItems", item_id, "UserData", body=body)
        if _read_tally(answer).count < after.count:
            raise UnexpectedAnswer(
                msg("{server} did not take a play that was heard on a device", server=answer.server)
            )

    def state(self, item_id: str) -> UserState:
        """Fetch all that Jellyfin knows of an item for the account.

        Raises:
            NotFound: As `of`.
        """
        return _to_state(read(self._ask("GET", "UserItems", item_id, "UserData"), USER_ITEM_DATA))

    def states(self, item_ids: Iterable[str]) -> dict[str, UserState]:
        """Fetch the same of many items, fifty at a time; what is not there is left out."""
        found: dict[str, UserState] = {}
        for batch in batched(dict.fromkeys(item_ids), IDS_AT_ONCE):
            query: Query = {
                "ids": ",".join(batch),
                "enableUserData": "true",
                "enableImages": "false",
                "enableTotalRecordCount": "false",
            }
            page = read(self._ask("GET", "Items", query=query), ITEM_STATES)
            for one in page.items:
                if one is not None and one.user_data is not None:
                    found[one.id] = _to_state(one.user_data)
        return found

    def resumable(self, most: int) -> dict[str, UserState]:
        """Fetch what was begun and not ended, what was played last first."""
        query: Query = {"limit": most, "enableImages": "false"}
        page = read(self._ask("GET", "UserItems", "Resume", query=query), ITEM_STATES)
        every = (one for one in page.items if one is not None)
        return {one.id: _to_state(one.user_data) for one in every if one.user_data is not None}

    def change(self, item_id: str, before: UserState, after: UserState) -> None:
        """Change what Jellyfin knows of an item; what is equal is not written.

        A state with nothing in it is reached by clearing the item: no date can be taken away
        otherwise.

        Raises:
            NotAllowed, NotFound: As `set`.
        """
        if after.is_favourite != before.is_favourite:
            self._client.set_favourite(item_id, value=after.is_favourite)
        if after.is_blank and not before.is_blank:
            self._ask("DELETE", "UserPlayedItems", item_id)
            return
        body: Body = {}
        if abs(after.position_s - before.position_s) >= 1 / TICKS_PER_SECOND:
            body["PlaybackPositionTicks"] = round(after.position_s * TICKS_PER_SECOND)
        if after.count != before.count:
            body["PlayCount"] = after.count
        if after.last is not None and after.last != before.last:
            body["LastPlayedDate"] = _format_date(after.last)
        if after.is_played != before.is_played:
            body["Played"] = after.is_played
        if not body:
            return
        answer = self._ask("POST", "UserItems", item_id, "UserData", body=body)
        told = _to_state(read(answer, USER_ITEM_DATA))
        if abs(told.position_s - after.position_s) >= NEAR_S or told.count != after.count:
            raise UnexpectedAnswer(
                msg("{server} did not take what a player knows", server=answer.server)
            )

    def tick(self, item_id: str, *, value: bool) -> None:
        """Mark an item and all that is in it as played or not, as the button of a client does.

        Raises:
            NotFound: As `of`.
        """
        self._ask("POST" if value else "DELETE", "UserPlayedItems", item_id)

    def mark_played(self, item_id: str, at: datetime) -> None:
        """Count one more play and mark the item as played; every account may do this.

        Args:
            item_id: The item.
            at: Becomes the date, even if that goes back: the caller sees to it.
        """
        self._ask("POST", "UserPlayedItems", item_id, query={"datePlayed": _format_date(at)})

    def _ask(
        self, method: str, *path: str, query: Query | None = None, body: Body | None = None
    ) -> Answer:
        client = self._client
        user: Query = {} if client.user_id is None else {"userId": client.user_id}
        answer = client.connection.send(method, *path, query={**user, **(query or {})}, body=body)
        try:
            check_answer(answer)
        except Unconfirmed:
            client.me()
            raise
        return answer


def _read_tally(answer: Answer) -> Tally:
    told = read(answer, USER_ITEM_DATA)
    return Tally(told.play_count, told.last_played_date, told.played)


def _to_state(told: UserItemData | ItemStateData) -> UserState:
    return UserState(
        position_s=told.playback_position_ticks / TICKS_PER_SECOND,
        count=max(0, told.play_count),
        last=told.last_played_date,
        is_played=told.played,
        is_favourite=told.is_favorite,
    )


def _format_date(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
