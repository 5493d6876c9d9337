"""Imports plays from a music player's log: a preview first, then a report to Jellyfin.

    the player's logs ─▶ `reader` ─▶ fresh plays ─▶ shown to a person
                                          └──────▶ `reporter` ─▶ Jellyfin, LRU, rules

Imported plays belong to the person who imports them: no log says who listened. Each play is
imported once, whoever does it. The logs are never changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from itertools import islice

from sidecar.clock import Clock
from sidecar.config.zones import load_zone
from sidecar.domain.player_logs.matching import OurFiles
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import DeviceAccess
from sidecar.services.devices.in_use import DevicesInUse
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.players.player_logs.listeners import Listeners
from sidecar.services.players.player_logs.reader import Fresh, LogFindings, Reader, read_logs
from sidecar.services.players.player_logs.reporter import PlayReporter, ReporterStores
from sidecar.services.players.player_logs.views import (
    HeardView,
    LogFileView,
    LogInUse,
    LogView,
    TakenView,
    view_imports,
)

log = logging.getLogger(__name__)

MOST_SHOWN = 200
# Longest time for one request; the next request continues.
LONGEST_S = 20.0


class PlayerLogImporter:
    """Reads players' logs and reports their plays to Jellyfin. Thread-safe."""

    def __init__(
        self,
        *,
        access: DeviceAccess,
        registry: DeviceRegistry,
        tables: ReporterStores,
        client: Callable[[str], Jellyfin],
        on_plays: Callable[[str], object],
        clock: Clock,
        listeners: Listeners,
    ) -> None:
        """Prepare.

        Args:
            access: Who may use and who may manage a device.
            registry: The devices.
            tables: What was imported, and the plays.
            client: Returns the Jellyfin client of an account, by its id.
            on_plays: Called with the account's id after plays were imported.
            clock: To reject dates in the future, and for time limits.
            listeners: Whose players they are: where somebody has said so, nobody else imports.
        """
        self._access = access
        self._registry = registry
        self._tables = tables
        self._client = client
        self._on_plays = on_plays
        self._clock = clock
        self._listeners = listeners
        self._in_use = DevicesInUse()

    def log(self, person: Person, device_id: str) -> LogView:
        """Return what an import would do.

        Raises:
            errors.NotVisible: This person does not use the device.
            errors.DeviceError: The device cannot be read now.
            errors.JellyfinError: Jellyfin cannot be asked about the items.
        """
        self._access.settings(person, device_id)
        device = self._registry.get(device_id)
        found = self._read(person, device, self._client(person.user_id))
        imports = view_imports(self._tables.states, person, device_id)
        return replace(_view(device, found), imports=imports)

    def take(self, person: Person, device_id: str) -> TakenView:
        """Import the plays as plays of this person.

        An interrupted import is continued by the next one, and nothing is counted twice.

        Raises:
            LogInUse: An import from this device is already running.
            NotTheListener: It is somebody else's player, or nobody's.
            errors.NotVisible, errors.DeviceError, errors.JellyfinError: As for `log`; what was
                imported by then stays imported.
        """
        name = self._access.settings(person, device_id).name
        self._listeners.check_not_of_others(person, device_id)
        device, client = self._registry.get(device_id), self._client(person.user_id)
        telling = PlayReporter(
            self._tables,
            PlayStates(client),
            person.user_id,
            device_id,
            device_name=name,
            begin_import=partial(
                self._tables.states.begin_import, person.user_id, device_id, self._clock.now()
            ),
        )
        with self.alone(device_id, name):
            try:
                left = self._take(person, device, client, telling)
            finally:
                if telling.taken:
                    log.info("%d plays were taken over from %s", telling.taken, name)
                    self._on_plays(person.user_id)
        return TakenView(taken=telling.taken, left=left, refused=tuple(telling.refused))

    def _take(
        self, person: Person, device: AttachedDevice, client: Jellyfin, telling: PlayReporter
    ) -> int:
        """Report plays until all are done or the time is over; return how many are left."""
        until = self._clock.monotonic() + LONGEST_S
        begun = telling.unfinished()
        items = client.visible_items(one.item_id for one in begun) if begun else {}
        for one in begun:
            telling.resume(items.get(one.item_id), one)
        found = self._read(person, device, client)
        groups = iter(_by_item(found.fresh))
        for group in groups:
            telling.report(group[0].item, [one.listening for one in group])
            if self._clock.monotonic() >= until:
                break
        return sum(map(len, groups)) + int(found.has_more)

    def _read(self, person: Person, device: AttachedDevice, client: Jellyfin) -> LogFindings:
        sees_all = self._access.sees_all(person, device.settings)
        imported = self._tables.imported
        mine = OurFiles(imported.files(device.id, None if sees_all else person.user_id))
        reader = Reader(
            mine=mine,
            all=mine if sees_all else OurFiles(imported.files(device.id, None)),
            sees_all=sees_all,
            zone=load_zone(device.settings.time_zone),
            now=self._clock.now(),
        )
        until = self._clock.monotonic() + LONGEST_S
        return read_logs(
            device.folder,
            reader,
            client.visible_items,
            imported.marks(device.id),
            is_over=lambda: self._clock.monotonic() >= until,
        )

    def alone(self, device_id: str, name: str) -> AbstractContextManager[None]:
        """Hold a device for one import at a time.

        Raises:
            LogInUse: Another one is running.
        """
        return self._in_use.only(
            device_id,
            LogInUse(msg("The plays from {name} are being added at this moment", name=name)),
        )


def _by_item(fresh: Sequence[Fresh]) -> list[list[Fresh]]:
    """Group the plays by item, the last heard item at the end: so it counts as used last."""
    groups: dict[str, list[Fresh]] = {}
    for one in fresh:
        groups.setdefault(one.item.id, []).append(one)
    return sorted(groups.values(), key=lambda group: max(one.listening.ended_at for one in group))


def _view(device: AttachedDevice, found: LogFindings) -> LogView:
    newest = sorted(found.fresh, key=lambda one: one.listening.started_at, reverse=True)
    return LogView(
        device_id=device.id,
        device_name=device.settings.name,
        time_zone=device.settings.time_zone,
        files=[LogFileView(one.path, one.kind.value, one.size) for one in found.files],
        counts=found.counts,
        plays=[
            HeardView(
                item_id=one.item.id,
                title=one.item.title,
                artist=one.item.artist or one.item.album_artist,
                started_at=one.listening.started_at,
                seconds_heard=one.listening.seconds_heard,
            )
            for one in islice(newest, MOST_SHOWN)
        ],
        remarks=found.remarks,
        has_more=found.has_more,
    )
