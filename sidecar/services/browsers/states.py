"""Takes over positions and hearts of our player in a browser, with their own times.

    stopped, or a heart pressed ─▶ sent when there is a network ─▶ new to Jellyfin? ─▶ Jellyfin

A position that Jellyfin has a newer one of is passed over, so sending twice changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sidecar.clock import Clock
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.player_logs.matching import AHEAD, EARLIEST
from sidecar.domain.player_logs.states import PlayerPosition, UserState, take_position
from sidecar.errors import NotAllowed, NotFound, UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.services.accounts.person import Person

log = logging.getLogger(__name__)

# A song is heard from its beginning; what is as long as this is heard on from where it was.
LONG_S = 20 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserState:
    """What a browser tells of an item; None is what it does not tell.

    Attributes:
        position_s: Where its playing was stopped.
        position_at: When.
        is_favourite: Whether it has a heart since one was set or taken there.
    """

    item_id: str
    position_s: float | None = None
    position_at: datetime | None = None
    is_favourite: bool | None = None


class BrowserStates:
    """Takes over states from browsers. Safe for many threads."""

    def __init__(self, *, client: Callable[[str], Jellyfin], clock: Clock) -> None:
        """Prepare; `client` returns the Jellyfin client of an account, by its id."""
        self._client = client
        self._clock = clock

    def take(self, person: Person, told: Sequence[BrowserState]) -> int:
        """Tell Jellyfin what is new; return of how many items.

        What is of the future, or of something that Jellyfin does not show this person or does not
        let them change, is passed over.

        Raises:
            errors.JellyfinError: Jellyfin cannot be asked; what was taken over by then stays so.
        """
        client = self._client(person.user_id)
        marks = PlayStates(client)
        by_id = {one.item_id: one for one in told}
        items = client.visible_items(by_id) if by_id else {}
        servers = marks.states(items)
        taken = 0
        trouble: UnexpectedAnswer | None = None
        for item_id, before in servers.items():
            after = self._after(items[item_id], by_id[item_id], before)
            if after == before:
                continue
            try:
                marks.change(item_id, before, after)
            except (NotAllowed, NotFound) as refused:
                log.info("%s stays in Jellyfin as it is: %s", items[item_id].title, refused)
            except UnexpectedAnswer as error:
                # One item does not keep out those after it.
                trouble = error
            else:
                taken += 1
        if taken:
            log.info("positions and hearts of %d items were taken over from a browser", taken)
        if trouble is not None:
            raise trouble
        return taken

    def _after(self, item: Item, told: BrowserState, server: UserState) -> UserState:
        after = server
        at, now = told.position_at, self._clock.now()
        if told.position_s is not None and at is not None and _is_heard_on(item):
            is_new = server.last is None or at > server.last
            if is_new and EARLIEST <= at <= now + AHEAD:
                place = PlayerPosition(round(told.position_s * 1000), min(at, now))
                after = take_position(place, item.seconds, server, now)
        if told.is_favourite is not None:
            after = replace(after, is_favourite=told.is_favourite)
        return after


def _is_heard_on(item: Item) -> bool:
    return item.type is not ItemType.AUDIO or (item.seconds or 0.0) >= LONG_S
