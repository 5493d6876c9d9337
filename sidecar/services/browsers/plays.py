"""Takes over the plays of our player in a browser, with their own times, also long after them.

    heard in a browser ─▶ sent when there is a network ─▶ `player_logs.reporter` ─▶ Jellyfin

Each is taken over once, however often it is sent: it is known by its item and its start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sidecar.clock import Clock
from sidecar.domain.items.item import Item
from sidecar.domain.playback.plays import ENOUGH_S, ENOUGH_SHARE
from sidecar.domain.player_logs.matching import AHEAD, EARLIEST, ImportedPlay
from sidecar.domain.player_logs.parsing import LogKind
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.in_use import DevicesInUse
from sidecar.services.players.player_logs.reporter import PlayReporter, ReporterStores
from sidecar.services.players.player_logs.views import LogInUse
from sidecar.store.playback.imported_plays import ImportedListening

log = logging.getLogger(__name__)

CLIENT = "Jellyfin Sidecar"


@dataclass(frozen=True, slots=True)
class HeardInBrowser:
    """A listening as a browser tells it."""

    item_id: str
    started_at: datetime
    seconds_heard: float


class BrowserPlays:
    """Takes over plays from browsers. Safe for many threads."""

    def __init__(
        self,
        *,
        tables: ReporterStores,
        client: Callable[[str], Jellyfin],
        on_plays: Callable[[str], object],
        clock: Clock,
    ) -> None:
        """Prepare; see `player_logs.importer`."""
        self._tables = tables
        self._client = client
        self._on_plays = on_plays
        self._clock = clock
        self._in_use = DevicesInUse()

    def take(self, person: Person, heard: Sequence[HeardInBrowser], name: str) -> int:
        """Take over plays as this person's; return how many were new.

        What was too short to count, is of the future or of something that Jellyfin does not show
        this person is passed over: it will be no other the next time.

        Raises:
            player_logs.views.LogInUse: Plays of this person are being taken over already.
            errors.JellyfinError: Jellyfin cannot be asked; what was taken over by then stays so.
        """
        place = f"browser:{person.user_id}"
        client = self._client(person.user_id)
        telling = PlayReporter(
            self._tables, PlayStates(client), person.user_id, place, name, client=CLIENT
        )
        busy = LogInUse(msg("Plays of yours are being added at this moment"))
        with self._in_use.only(place, busy):
            try:
                self._take(telling, client, place, heard)
            finally:
                if telling.taken:
                    log.info("%d plays were taken over from a browser", telling.taken)
                    self._on_plays(person.user_id)
        return telling.taken

    def _take(
        self,
        telling: PlayReporter,
        client: Jellyfin,
        place: str,
        heard: Sequence[HeardInBrowser],
    ) -> None:
        begun = telling.unfinished()
        latest = self._clock.now() + AHEAD
        wanted = {one for one in heard if EARLIEST <= one.started_at <= latest}
        ids = {one.item_id for one in begun} | {one.item_id for one in wanted}
        items = client.visible_items(ids) if ids else {}
        for one in begun:
            telling.resume(items.get(one.item_id), one)
        known = set(self._tables.imported.marks(place))
        ordered = sorted(wanted, key=lambda one: (one.item_id, one.started_at))
        for item_id, group in groupby(ordered, key=lambda one: one.item_id):
            item = items.get(item_id)
            if item is None:
                continue
            marked = ((one, _mark(one)) for one in group if _counts(item, one))
            fresh = [_listening(one, mark) for one, mark in marked if (item_id, mark) not in known]
            if fresh:
                telling.report(item, fresh)


def _mark(one: HeardInBrowser) -> ImportedPlay:
    # Known by its start, as the lines of a scrobbler are.
    return ImportedPlay(LogKind.SCROBBLER, int(one.started_at.timestamp()))


def _counts(item: Item, one: HeardInBrowser) -> bool:
    if one.seconds_heard >= ENOUGH_S:
        return True
    return bool(item.seconds) and one.seconds_heard >= ENOUGH_SHARE * (item.seconds or 0.0)


def _listening(one: HeardInBrowser, mark: ImportedPlay) -> ImportedListening:
    return ImportedListening(
        item_id=one.item_id,
        mark=mark,
        started_at=one.started_at,
        ended_at=one.started_at + timedelta(seconds=one.seconds_heard),
        seconds_heard=one.seconds_heard,
    )
