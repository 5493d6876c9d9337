"""Tells people in their Jellyfin client what comes of what they have just done there.

    an act ──▶ sessions: where was it? ──▶ some seconds, for others to join ──▶ what became of it
           ──▶ sessions: no film there now? ──▶ POST /Sessions/{id}/Message, with the person's token

Three requests for each burst of acts. A message is never sent again: what Jellyfin refuses, or a
server that is away, costs a message and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event

from sidecar.clock import Clock
from sidecar.domain.playback.client_messages import (
    Act,
    ActKind,
    Burst,
    DeviceOutcome,
    OpenClient,
    choose_client,
    count_outcome,
    may_show,
    write_message,
)
from sidecar.errors import DeviceError, JellyfinError, SidecarError
from sidecar.messages import Language, translate
from sidecar.process.threads import LONGEST_REST_S, Wakeup, attempt, run_when_woken
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.playback.client_messages.acts import Acts, Place, Step
from sidecar.services.playback.client_messages.preferences import ClientMessagePreferences
from sidecar.store.stores import Stores

log = logging.getLogger(__name__)

IDLE_S = 1.0
SHOWN_S = 6
HEADER = "Jellyfin Sidecar"
# Why an act's files are held: by which rules.
RULES_OF: Mapping[ActKind, tuple[str, ...]] = {
    ActKind.HEART: ("favourites",),
    ActKind.PLAYLIST: ("playlists", "favourites"),
    ActKind.CAST: (),
}


@dataclass(frozen=True, slots=True)
class Room:
    """What a device's plan says: the downloads that do not fit, and the bytes that are left."""

    not_fitting: Collection[int]
    left: int


@dataclass(slots=True)
class _Open:
    """A burst that is not told yet, and the files that its acts named."""

    burst: Burst
    places: set[Place] = field(default_factory=set)


class ClientMessages:
    """Sends the messages of all people. One thread runs it."""

    def __init__(
        self,
        acts: Acts,
        *,
        accounts: AccountService,
        preferences: ClientMessagePreferences,
        registry: DeviceRegistry,
        stores: Stores,
        room: Callable[[str], Room],
        words: Callable[[str], Language],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            acts: Where acts come from.
            accounts: Whose clients are asked.
            preferences: Who wants messages, and in which language.
            registry: The devices, for their names.
            stores: Holds and downloads.
            room: What a device's plan says, by the device's id.
            words: Returns the words of a language.
            clock: To join acts.
        """
        self._acts = acts
        self._accounts = accounts
        self.preferences = preferences
        self._registry = registry
        self._holds = stores.holds
        self._downloads = stores.downloads
        self._room = room
        self._words = words
        self._clock = clock
        self._open: dict[str, _Open] = {}

    @property
    def wakeup(self) -> Wakeup:
        """What the thread waits for."""
        return self._acts.wakeup

    def run(self, stop: Event) -> None:
        """Tell of acts until `stop` is set."""
        what = "telling clients what comes of it"
        run_when_woken(
            self.step, stop, self.wakeup, what, rest_s=self.rest_s, wait=self._clock.wait
        )

    def rest_s(self) -> float:
        """Return for how many seconds nothing is to be told unless somebody acts."""
        return IDLE_S if self._open else LONGEST_REST_S

    def step(self) -> None:
        """Take new acts, and tell of those that are due."""
        for step in self._acts.take():
            attempt(partial(self._take, step), "asking where something was done")
        now = self._clock.monotonic()
        for user_id in [one for one, it in self._open.items() if it.burst.due_at() <= now]:
            there = self._open.pop(user_id)
            attempt(partial(self._tell, user_id, there), "telling a client what comes of it")

    def _take(self, step: Step) -> None:
        user_id = step.act.user_id
        there = self._open.get(user_id)
        if step.is_finished:
            if there is not None and step.act in there.burst.acts:
                there.burst.unfinished -= 1
                there.places.update(step.places)
                if step.title is not None:
                    at = there.burst.acts.index(step.act)
                    there.burst.acts[at] = replace(step.act, title=step.title)
            return
        if there is None:
            if not self.preferences.is_on(user_id):
                return
            client = self._find_client(step.act)
            session_id = client.session_id if client and may_show(client) else None
            there = self._open[user_id] = _Open(Burst(session_id))
        there.burst.acts.append(step.act)
        there.burst.unfinished += 1

    def _find_client(self, act: Act) -> OpenClient | None:
        try:
            clients, now = self._accounts.client(act.user_id).open_clients()
        except SidecarError as trouble:
            log.debug("where something was done is not known: %s", trouble)
            return None
        return choose_client(clients, act, now or self._clock.now())

    def _tell(self, user_id: str, there: _Open) -> None:
        session_id = there.burst.session_id
        if session_id is None:
            return
        outcomes = list(self._outcomes(user_id, there))
        message = write_message(there.burst.acts, outcomes)
        if message is None:
            return
        try:
            client = self._accounts.client(user_id)
            clients, _ = client.open_clients()
            if not any(one.session_id == session_id and may_show(one) for one in clients):
                return
            text = translate(message, self._words(self.preferences.language(user_id)))
            client.show_message(session_id, header=HEADER, text=text, seconds=SHOWN_S)
        except JellyfinError as trouble:
            log.info("a client could not be told %r: %s", str(message), trouble)
        else:
            log.info("told in a client: %s", message)

    def _outcomes(self, user_id: str, there: _Open) -> Iterable[DeviceOutcome]:
        by_device: dict[str, set[str]] = {}
        for device_id, item_id in there.places | self._held(user_id, there.burst.acts):
            by_device.setdefault(device_id, set()).add(item_id)
        acts = there.burst.acts
        are_playlists = all(one.kind is ActKind.PLAYLIST for one in acts)
        for device_id, settings in self._registry.attached_anywhere().items():
            items = by_device.get(device_id)
            if not items:
                continue
            downloads = self._downloads.queries.by_items((device_id, one) for one in items)
            room = self._room_on(device_id)
            yield count_outcome(
                settings.name,
                downloads.values(),
                not_fitting=room.not_fitting,
                room=room.left,
                since=acts[0].began if are_playlists else None,
            )

    def _held(self, user_id: str, acts: Iterable[Act]) -> set[Place]:
        return {
            (hold.device_id, hold.item_id)
            for act in acts
            for rule in RULES_OF[act.kind]
            for item_id in act.item_ids
            for hold in self._holds.of_source(user_id, rule, item_id)
        }

    def _room_on(self, device_id: str) -> Room:
        try:
            return self._room(device_id)
        except DeviceError:
            return Room((), 0)
