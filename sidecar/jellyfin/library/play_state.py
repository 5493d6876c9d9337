"""Reads and writes an account's play state: play count, last date, the played mark.

The date is written only where it moves forward: Jellyfin's own is more precise than what we keep,
so writing it back would set it to a moment earlier.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sidecar.domain.player_logs.matching import Tally
from sidecar.errors import UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.http.connection import Body, Query
from sidecar.jellyfin.http.responses import Answer, Unconfirmed, check_answer, read
from sidecar.jellyfin.models import USER_ITEM_DATA
from sidecar.messages import msg


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


def _format_date(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
