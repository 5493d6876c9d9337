"""Brings the positions, counts and ratings of a player to Jellyfin: a look first, then a click.

    the player's files ─▶ `state_reader` ─▶ shown to its listener ─▶ Jellyfin ─▶ can be taken back

Only with the listener's own account. A change is noted before Jellyfin is told, so that nothing is
counted twice after a crash, and each import can be taken back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sidecar.clock import Clock
from sidecar.domain.items.item import ItemType
from sidecar.domain.player_logs.bookmarks import ROCKBOX, is_at_end
from sidecar.domain.player_logs.matching import OurFiles
from sidecar.domain.player_logs.states import (
    NEAR_S,
    KnownState,
    UserState,
    Verdict,
    take_position,
    undo_state,
)
from sidecar.errors import NotAllowed, NotFound, UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.services.accounts.person import Person
from sidecar.services.devices.registry import AttachedDevice
from sidecar.services.players.player_logs.parts import PlayerParts
from sidecar.services.players.player_logs.reporter import GONE, NOT_ALLOWED
from sidecar.services.players.player_logs.state_reader import (
    Compared,
    PlayerFindings,
    StateReader,
    compare,
    folders_of,
)
from sidecar.services.players.player_logs.state_views import (
    CountView,
    HeartView,
    PlayerView,
    PositionView,
    TakenStatesView,
)
from sidecar.services.players.player_logs.views import RefusedView, view_imports
from sidecar.store.playback.player_states import Change, PlayerStates, StoredChange

log = logging.getLogger(__name__)

# Longest time for one request; the next request continues.
LONGEST_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person wants to take from a player.

    Attributes:
        answers: To questions, by item id: whether the player's position is taken.
    """

    positions: bool = True
    counts: bool = True
    hearts: bool = False
    answers: Mapping[str, bool] = field(default_factory=dict)


class PlayerStateImporter:
    """Takes what a player knows to Jellyfin, and back. Thread-safe."""

    def __init__(self, parts: PlayerParts) -> None:
        self._parts = parts

    def look(self, person: Person, device_id: str) -> PlayerView:
        """Return what an import would do; nothing of the player before its listener is known.

        Raises:
            errors.NotVisible: This person does not use the device.
            errors.DeviceError: The device cannot be read now.
            errors.JellyfinError: Jellyfin cannot be asked about the items.
        """
        settings = self._parts.access.settings(person, device_id)
        listener = self._parts.listeners.of(person, device_id)
        if not listener.is_you:
            return PlayerView(device_id=device_id, device_name=settings.name, listener=listener)
        device = self._parts.registry.get(device_id)
        found, every, has_more = self._compare(person, device, self._parts.client(person.user_id))
        return PlayerView(
            device_id=device_id,
            device_name=settings.name,
            listener=listener,
            files=found.files,
            positions=[_position(one) for one in every if one.verdict is Verdict.TAKE],
            questions=[_position(one) for one in every if one.verdict is Verdict.ASK],
            counts=[_count(one) for one in every if one.plays],
            hearts=[_heart(one) for one in every if one.is_heart],
            unknown=found.unknown,
            others=found.others,
            remarks=found.remarks,
            imports=view_imports(self._parts.states, person, device_id),
            has_more=has_more,
            is_rockbox=device.folder.player_files.is_there(ROCKBOX),
        )

    def take(self, person: Person, device_id: str, wanted: Wanted) -> TakenStatesView:
        """Take what is wanted to Jellyfin; an interrupted import is continued by the next one.

        Raises:
            NotTheListener: It is not this person's player.
            LogInUse: An import from this device is already running.
            errors.NotVisible, errors.DeviceError, errors.JellyfinError: As for `look`; what was
                taken by then stays taken.
        """
        name = self._parts.access.settings(person, device_id).name
        self._parts.listeners.check(person, device_id)
        device, client = self._parts.registry.get(device_id), self._parts.client(person.user_id)
        with self._parts.alone(device_id, name):
            taking = self._reporter(client, device_id)
            taking.resume_all(person.user_id)
            _, every, has_more = self._compare(person, device, client)
            until = self._parts.clock.monotonic() + LONGEST_S
            import_id: int | None = None
            left = int(has_more)
            for number, one in enumerate(every):
                if self._parts.clock.monotonic() >= until:
                    left += len(every) - number
                    break
                if import_id is None:
                    now = self._parts.clock.now()
                    import_id = self._parts.states.begin_import(person.user_id, device_id, now)
                taking.take(import_id, one, wanted)
            log.info(
                "%d positions, %d plays and %d hearts were taken over from %s",
                *(taking.positions, taking.plays, taking.hearts, name),
            )
        return TakenStatesView(
            positions=taking.positions,
            plays=taking.plays,
            hearts=taking.hearts,
            left=left,
            refused=tuple(taking.refused),
        )

    def undo(self, person: Person, device_id: str, import_id: int) -> int:
        """Take an import back; return how many items were changed.

        What has changed in Jellyfin since the import stays as it is.

        Raises:
            LogInUse: An import from this device is already running.
            errors.NotVisible, errors.JellyfinError: As for `look`.
        """
        name = self._parts.access.settings(person, device_id).name
        client = self._parts.client(person.user_id)
        with self._parts.alone(device_id, name):
            taking = self._reporter(client, device_id)
            taking.resume_all(person.user_id)
            every = self._parts.states.changes(person.user_id, device_id, import_id)
            for one in every:
                taking.undo(one)
        return len(every)

    def _reporter(self, client: Jellyfin, device_id: str) -> StateReporter:
        return StateReporter(self._parts.states, PlayStates(client), device_id, self._parts.clock)

    def _compare(
        self, person: Person, device: AttachedDevice, client: Jellyfin
    ) -> tuple[PlayerFindings, list[Compared], bool]:
        sees_all = self._parts.access.sees_all(person, device.settings)
        mine = list(self._parts.imported.files(device.id, None if sees_all else person.user_id))
        every = mine if sees_all else list(self._parts.imported.files(device.id, None))
        reader = StateReader(
            mine=OurFiles(mine),
            all=OurFiles(every),
            sees_all=sees_all,
            now=self._parts.clock.now(),
        )
        found = reader.read(device.folder, folders_of(every))
        compared, has_more = compare(
            found,
            self._parts.states.known(device.id),
            lambda until: self._parts.states.logged(device.id, until),
            client.visible_items,
            PlayStates(client).states,
        )
        return found, compared, has_more


class StateReporter:
    """Tells Jellyfin what one import changes, item by item. For one thread."""

    def __init__(
        self, states: PlayerStates, marks: PlayStates, device_id: str, clock: Clock
    ) -> None:
        self._states = states
        self._marks = marks
        self._device_id = device_id
        self._clock = clock
        self.positions = 0
        self.plays = 0
        self.hearts = 0
        self.refused: list[RefusedView] = []

    def take(self, import_id: int, one: Compared, wanted: Wanted) -> None:
        """Tell Jellyfin what a player knows of an item, as far as it is wanted."""
        takes_position = (wanted.positions and one.verdict is Verdict.TAKE) or (
            one.verdict is Verdict.ASK and wanted.answers.get(one.item.id, False)
        )
        plays = one.plays if wanted.counts else 0
        is_heart = one.is_heart and wanted.hearts
        known = self._dealt_with(one, wanted, plays, takes_position=takes_position)
        if not (takes_position or plays or is_heart):
            if known != one.known:
                self._states.save(self._device_id, one.item.id, known)
            return
        try:
            before = self._marks.state(one.item.id)
        except NotFound:
            self._refuse(one.item.id, one.item.title, GONE)
            return
        after = before
        position = one.found.position()
        if takes_position and position is not None:
            after = take_position(position[0], one.item.seconds, before, self._clock.now())
        if plays:
            is_music = one.item.type is ItemType.AUDIO
            after = replace(
                after, count=before.count + plays, is_played=after.is_played or is_music
            )
        if is_heart:
            after = replace(after, is_favourite=True)
        change = Change(
            item_id=one.item.id,
            title=one.item.title,
            before=before,
            after=after,
            known_before=one.known,
            known=known,
            plays=plays,
        )
        if self._tell(self._states.begin(import_id, change)):
            self.positions += takes_position
            self.plays += plays
            self.hearts += is_heart

    def _dealt_with(
        self, one: Compared, wanted: Wanted, plays: int, *, takes_position: bool
    ) -> KnownState:
        """Return what is remembered of an item after this import."""
        known, position = one.known, one.found.position()
        is_answered = one.verdict is Verdict.ASK and one.item.id in wanted.answers
        if position is not None and (takes_position or is_answered or one.verdict is Verdict.KNOWN):
            at = position[0].at or known.position_at
            known = replace(known, position_ms=position[0].elapsed_ms, position_at=at)
        counted_at = one.found.counted_at
        if wanted.counts and counted_at is not None and (plays or known.undated):
            newest = max(counted_at, known.counted_at or counted_at)
            known = replace(known, undated=known.undated + plays, counted_at=newest)
        if wanted.hearts and one.found.rating is not None:
            known = replace(known, rating=one.found.rating)
        return known

    def _tell(self, stored: StoredChange) -> bool:
        """Tell Jellyfin a change; return whether it was taken."""
        change = stored.change
        try:
            self._marks.change(change.item_id, change.before, change.after)
        except (NotAllowed, NotFound) as error:
            self._states.forget(stored, device_id=self._device_id, known=change.known_before)
            why = NOT_ALLOWED if isinstance(error, NotAllowed) else GONE
            self._refuse(change.item_id, change.title, why)
            return False
        except UnexpectedAnswer as error:
            # It stays open: the next import finds out what has become of it.
            self._refuse(change.item_id, change.title, str(error))
            return False
        self._states.finish(self._device_id, stored)
        return True

    def resume_all(self, user_id: str) -> None:
        """Go on with what was cut off."""
        for one in self._states.unfinished(user_id, self._device_id):
            self._resume(one)

    def _resume(self, stored: StoredChange) -> None:
        """Find out whether a change has arrived that was cut off, and go on with it."""
        change = stored.change
        try:
            now = self._marks.state(change.item_id)
        except NotFound:
            self._states.forget(stored, device_id=self._device_id, known=change.known_before)
            return
        if change.is_undo:
            if now == change.before:
                self._marks.change(change.item_id, now, change.after)
            self._states.forget(stored, device_id=self._device_id, known=change.known, is_back=True)
        elif _has_arrived(now, change.after):
            self._states.finish(self._device_id, stored)
        else:
            self._states.forget(stored, device_id=self._device_id, known=change.known_before)

    def undo(self, stored: StoredChange) -> None:
        """Take a change back."""
        change = stored.change
        known = self._states.of(self._device_id, change.item_id)
        plays = change.plays if change.rows else min(change.plays, known.undated)
        rest = (
            known
            if change.rows
            else replace(
                change.known_before,
                undated=known.undated - plays,
                elsewhere=known.elsewhere,
                line=known.line,
            )
        )
        is_back = False
        try:
            now = self._marks.state(change.item_id)
            target = undo_state(now, change.before, change.after, plays)
            back = replace(change, before=now, after=target, known=rest, plays=0, is_undo=True)
            stored = self._states.turn(stored, back)
            self._marks.change(change.item_id, now, target)
            is_back = True
        except (NotAllowed, NotFound) as error:
            log.info("%s was not taken back: %s", change.title, error)
        self._states.forget(stored, device_id=self._device_id, known=rest, is_back=is_back)

    def _refuse(self, item_id: str, title: str, why: str) -> None:
        self.refused.append(RefusedView(item_id=item_id, title=title, why=why))


def _has_arrived(now: UserState, after: UserState) -> bool:
    return (
        now.count >= after.count
        and abs(now.position_s - after.position_s) < NEAR_S
        and now.is_played >= after.is_played
        and now.is_favourite >= after.is_favourite
    )


def _position(one: Compared) -> PositionView:
    position = one.found.position()
    assert position is not None  # noqa: S101 - there is no verdict without one
    place, path = position
    return PositionView(
        item_id=one.item.id,
        title=one.item.title,
        artist=one.item.artist or one.item.album_artist,
        seconds=place.seconds,
        is_end=is_at_end(place.seconds, one.item.seconds),
        at=place.at,
        path=path,
        jellyfin_seconds=one.server.position_s,
        jellyfin_at=one.server.last,
        jellyfin_is_played=one.server.is_played,
    )


def _count(one: Compared) -> CountView:
    artist = one.item.artist or one.item.album_artist
    return CountView(item_id=one.item.id, title=one.item.title, artist=artist, plays=one.plays)


def _heart(one: Compared) -> HeartView:
    artist = one.item.artist or one.item.album_artist
    rating = one.found.rating or 0
    return HeartView(item_id=one.item.id, title=one.item.title, artist=artist, rating=rating)
