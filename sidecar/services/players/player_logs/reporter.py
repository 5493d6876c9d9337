"""Reports imported plays to Jellyfin with their real dates, each exactly once.

    read play count ─▶ store the new count ─▶ write it to Jellyfin ─▶ mark done, save the play

After an interruption the next run reads the count again and so knows whether the last write
arrived. The date of the last play never moves back. What Jellyfin refuses is shown to the person.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sidecar.domain.items.item import Item
from sidecar.domain.playback.plays import Play
from sidecar.domain.player_logs.matching import Tally, is_confirmed, is_ticked_by, merge_plays
from sidecar.domain.player_logs.states import UserState, count_told
from sidecar.errors import NotAllowed, NotFound
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.messages import msg
from sidecar.services.players.player_logs.views import RefusedView
from sidecar.store.database import Database
from sidecar.store.downloads.queue import Downloads
from sidecar.store.playback.imported_plays import Begun, ImportedListening, ImportedPlays
from sidecar.store.playback.player_states import Change, PlayerStates
from sidecar.store.playback.plays import Plays

log = logging.getLogger(__name__)

CLIENT = "Rockbox"
NOT_ALLOWED = msg("Jellyfin does not let this account set when something was played")
GONE = msg("Jellyfin does not have it any more")


@dataclass(frozen=True, slots=True)
class ReporterStores:
    """The stores that an import writes to."""

    db: Database
    imported: ImportedPlays
    plays: Plays
    downloads: Downloads
    states: PlayerStates


@dataclass(slots=True)
class PlayReporter:
    """Reports the plays of one account from one device. For one thread.

    Attributes:
        marks: Reads and writes play counts and dates in Jellyfin.
        client: The program that played.
        begin_import: Returns the number of a new import, by which what it brings is taken back;
            None if nothing of it is.
        taken: How many plays were reported so far.
        refused: What Jellyfin refused so far.
    """

    tables: ReporterStores
    marks: PlayStates
    user_id: str
    device_id: str
    device_name: str
    client: str = CLIENT
    begin_import: Callable[[], int] | None = None
    taken: int = 0
    refused: list[RefusedView] = field(default_factory=list)
    _import_id: int | None = None

    def unfinished(self) -> list[Begun]:
        """Return the reports that were begun before and may not have arrived."""
        return self.tables.imported.list_begun(self.user_id, self.device_id)

    def report(self, item: Item, listenings: Sequence[ImportedListening]) -> None:
        """Report plays of one item.

        Raises:
            errors.JellyfinError: It is not known whether it arrived; if it was begun, `unfinished`
                returns it.
        """
        try:
            before = self.marks.of(item.id)
        except NotFound:
            self._refuse(item, GONE)
            return
        listenings = self._mark_counted(item, listenings)
        after = _after(item, before, listenings)
        begun = self.tables.imported.begin(self.user_id, self.device_id, listenings, after.count)
        self._write(item, begun, before, after)

    def resume(self, item: Item | None, begun: Begun) -> None:
        """Report again what was begun before, unless it has arrived.

        Args:
            item: None if Jellyfin does not have it any more: the report is dropped.
            begun: What `unfinished` returned.

        Raises:
            errors.JellyfinError: As for `report`.
        """
        if item is None:
            self.tables.imported.forget(begun)
            return
        try:
            before = self.marks.of(item.id)
        except NotFound:
            self._give_up(item, begun, GONE)
            return
        if is_confirmed(before, begun.count, max(one.started_at for one in begun.listenings)):
            log.info("%s had arrived at Jellyfin already", item.title)
            count = max(0, before.count - _count_fresh(begun))
            # When it was played before that, nobody knows any more.
            self._keep(item, begun, Tally(count, None, count > 0), before)
            return
        after = _after(item, before, begun.listenings)
        begun = self.tables.imported.begin_again(begun, after.count)
        self._write(item, begun, before, after)

    def _mark_counted(
        self, item: Item, listenings: Sequence[ImportedListening]
    ) -> Sequence[ImportedListening]:
        """Mark the plays that a changelog had counted already: they get their dates only."""
        known = self.tables.states.of(self.device_id, item.id)
        counted = count_told([one.started_at for one in listenings], known)
        early = sorted(listenings, key=lambda one: one.started_at)
        return [replace(one, was_counted=at < counted) for at, one in enumerate(early)]

    def _write(self, item: Item, begun: Begun, before: Tally, after: Tally) -> None:
        try:
            self.marks.set(item.id, before, after)
        except NotAllowed:
            self._one_by_one(item, begun)
        except NotFound:
            self._give_up(item, begun, GONE)
        else:
            self._keep(item, begun, before, after)

    def _one_by_one(self, item: Item, begun: Begun) -> None:
        """Mark the item as played once for each play, with its date.

        An account that may not set a play count may still do this; each call counts one play.
        """
        for one in self.tables.imported.split(begun):
            [listening] = one.listenings
            if not is_ticked_by(item, listening.seconds_heard):
                self._give_up(item, one, NOT_ALLOWED)
                continue
            noted = one
            try:
                before = self.marks.of(item.id)
                after = _after(item, before, [listening])
                noted = self.tables.imported.begin_again(one, after.count)
                if not listening.was_counted:
                    self.marks.mark_played(item.id, after.last or listening.started_at)
            except NotAllowed:
                self._give_up(item, noted, NOT_ALLOWED)
            except NotFound:
                self._give_up(item, noted, GONE)
            else:
                self._keep(item, noted, before, after)

    def _keep(self, item: Item, begun: Begun, before: Tally, after: Tally) -> None:
        tables = self.tables
        with tables.db.write():
            tables.imported.mark_done(begun)
            for one in begun.listenings:
                tables.plays.save(self._play(item, one))
            tables.downloads.transitions.mark_used(item.id)
            if self.begin_import is not None:
                if self._import_id is None:
                    self._import_id = self.begin_import()
                change = self._change(item, begun, before, after)
                tables.states.record(self._import_id, change)
        self.taken += len(begun.listenings)

    def _change(self, item: Item, begun: Begun, before: Tally, after: Tally) -> Change:
        known = self.tables.states.of(self.device_id, item.id)
        return Change(
            item_id=item.id,
            title=item.title,
            before=UserState(count=before.count, last=before.last, is_played=before.is_played),
            after=UserState(count=after.count, last=after.last, is_played=after.is_played),
            known_before=known,
            known=known,
            plays=_count_fresh(begun),
            rows=begun.ids,
        )

    def _give_up(self, item: Item, begun: Begun, why: str) -> None:
        self.tables.imported.forget(begun)
        self._refuse(item, why)

    def _refuse(self, item: Item, why: str) -> None:
        self.refused.append(RefusedView(item_id=item.id, title=item.title, why=why))

    def _play(self, item: Item, one: ImportedListening) -> Play:
        return Play(
            user_id=self.user_id,
            item_id=item.id,
            title=item.title,
            album_id=item.album_id,
            artist=item.artist or item.album_artist,
            client=self.client,
            device_name=self.device_name,
            session_id=f"log:{self.device_id}",
            playlist_item_id=None,
            started_at=one.started_at,
            ended_at=one.ended_at,
            position_s=one.seconds_heard,
            seconds_heard=one.seconds_heard,
            run_time=item.seconds,
        )


def _count_fresh(begun: Begun) -> int:
    return sum(not one.was_counted for one in begun.listenings)


def _after(item: Item, before: Tally, listenings: Sequence[ImportedListening]) -> Tally:
    ticks = any(is_ticked_by(item, one.seconds_heard) for one in listenings)
    counted = sum(one.was_counted for one in listenings)
    dates = [one.started_at for one in listenings]
    return merge_plays(before, dates, ticks=ticks, counted=counted)
