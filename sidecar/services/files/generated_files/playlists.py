"""Writes M3U playlists on every device: chosen playlists, favourites and albums.

    last known order of playlists ─┐
    completed files there ─────────┼─▶ M3U files, in the style of the device's preset
    favourites, albums ────────────┘

`writer` decides when and where. Jellyfin is not asked, so a failed
request never shortens a list. A file that is not ours stays as it is, and ours gets another name.
A list of ours that a person has changed stays until they have said what becomes of the change.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.device.foreign.playlists import read_list
from sidecar.domain.downloads.download import Status
from sidecar.domain.files.m3u import ListName, PlaylistEntry, assign_paths, is_playlist, render
from sidecar.domain.files.playlist_changes import find_files, index_paths, read_lines
from sidecar.domain.files.presets import PRESETS
from sidecar.errors import DeviceError
from sidecar.events import (
    AccountChanged,
    DeviceChanged,
    DownloadChanged,
    HoldsChanged,
    NewsMissed,
    PlaylistChanged,
)
from sidecar.events import Event as News
from sidecar.process.threads import go_through
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.files.generated_files.writer import GeneratedFileWriter
from sidecar.services.health.problems import Problems
from sidecar.store.files.completed import CompletedFiles
from sidecar.store.rules.device_playlists import DeviceList, DevicePlaylists
from sidecar.store.rules.playlist_orders import ChosenList, PlaylistOrders

log = logging.getLogger(__name__)

FAVOURITES = "Favourites"
FEWEST_OF_AN_ALBUM = 2


@dataclass(frozen=True, slots=True)
class _List(ListName):
    """A playlist as it should be on a device.

    Attributes:
        entries: None if they are not known yet: an existing file stays.
        comes_home: What people change in the file is offered to them, and not replaced before.
    """

    entries: Sequence[PlaylistEntry] | None
    comes_home: bool = True


@dataclass(frozen=True, slots=True)
class _Changed:
    """A list of ours as it is on the device now."""

    content: bytes
    is_unanswered: bool


class PlaylistWriter(GeneratedFileWriter):
    """Keeps playlists up to date. One thread runs it; `hear` is safe for many."""

    what = "playlists"

    def __init__(
        self,
        *,
        registry: DeviceRegistry,
        orders: PlaylistOrders,
        lists: DevicePlaylists,
        on_device: CompletedFiles,
        problems: Problems,
        clock: Clock,
    ) -> None:
        super().__init__(registry=registry, on_device=on_device, problems=problems, clock=clock)
        self._orders = orders
        self._written = lists

    def hear(self, event: News) -> None:
        """Handle events about files, holds and playlists; a listener for the bus."""
        match event:
            case DownloadChanged(download=one, was=was, now=now):
                if Status.COMPLETED in {was, now}:
                    self.changed(one.device_id)
            case HoldsChanged(device_id=device_id):
                self.changed(device_id)
            case DeviceChanged(device_id=device_id):
                self.device_changed(device_id)
            case PlaylistChanged() | AccountChanged() | NewsMissed():
                self.changed()
            case _:
                pass

    def _write(self, device: AttachedDevice) -> None:
        preset = PRESETS[device.settings.preset]
        own = device.folder.own_files
        ours = [one for one in own.names() if is_playlist(one)]
        lists = [*self._chosen(device), *self._favourites(device), *self._albums(device)]
        kept: set[str] = set()
        known = self._written.of(device.id)
        placed = assign_paths(lists, preset, strangers=own.strangers(preset.folder), ours=ours)
        for one, paths in go_through(placed, self._is_over, each=1):
            if one.entries is None:
                kept.update(paths)
            elif one.entries:
                listed = tuple(entry.path for entry in one.entries)
                content = render(one.name, one.entries, preset)
                there = DeviceList(one.id, None, listed)
                kept.update(self._put(device, one, paths, content, there=there, known=known))
        # Only now: a renamed list always has a file.
        for path in ours:
            if path not in kept and own.remove(path):
                log.info("%s went from %s", path, device.settings.name)

    def _chosen(self, device: AttachedDevice) -> Iterator[_List]:
        """Yield the chosen playlists, each once even if several people chose it."""
        chosen: dict[str, ChosenList] = {}
        for one in self._orders.chosen_on(device.id):
            if one.is_gone or not device.settings.serves(one.user_name):
                continue
            if not chosen.setdefault(one.playlist_id, one).is_known:
                chosen[one.playlist_id] = one
        for one in chosen.values():
            entries = self._orders.entries(one.user_id, one.playlist_id, device.id)
            yield _List(one.playlist_id, one.title, entries if one.is_known else None)

    def _favourites(self, device: AttachedDevice) -> Iterator[_List]:
        found = self._orders.hearts_on(device.id)
        people = [one for one in found if device.settings.serves(one.user_name)]
        for one in people:
            name = FAVOURITES if len(people) == 1 else f"{FAVOURITES} ({one.user_name})"
            yield _List(one.user_id, name, one.entries)

    def _albums(self, device: AttachedDevice) -> Iterator[_List]:
        if not device.settings.album_playlists:
            return
        for one in self._orders.albums_on(device.id):
            if len(one.entries) >= FEWEST_OF_AN_ALBUM:
                artists = {entry.artist for entry in one.entries}
                artist = next(iter(artists)) if len(artists) == 1 else None
                name = f"{artist} - {one.album}" if artist else one.album
                yield _List(one.album_id, name, one.entries, comes_home=False)

    def _put(
        self,
        device: AttachedDevice,
        wanted: _List,
        paths: Sequence[str],
        content: bytes,
        *,
        there: DeviceList,
        known: Mapping[str, DeviceList],
    ) -> Sequence[str]:
        """Write a list at the first free path; return the paths that must not be removed."""
        if not self._has_room(device, len(content)):
            return paths
        for path in paths:
            changed = self._find_changed(device, wanted, path, known)
            if changed is not None and changed.is_unanswered:
                return [path]
            try:
                over = changed.content if changed is not None else None
                if device.folder.own_files.put(path, content, over=over):
                    log.info("%s is written on %s", path, device.settings.name)
            except DeviceError as trouble:
                if trouble.code != "name-taken":
                    raise
            else:
                if wanted.comes_home:
                    self._written.put(device.id, path, there)
                return [path]
        log.info("a playlist has no place on %s: others have its names", device.settings.name)
        return []

    def _find_changed(
        self, device: AttachedDevice, wanted: _List, path: str, known: Mapping[str, DeviceList]
    ) -> _Changed | None:
        """Return what a person made of a list of ours; None if it is as we wrote it, or not ours.

        A change is kept until somebody has said what becomes of it, and only then replaced.
        """
        before = known.get(path)
        if not wanted.comes_home or before is None or before.list_id != wanted.id:
            return None
        content = read_list(device.folder, path)
        if content is None:
            return None
        written = index_paths(before.paths)
        found = find_files(
            read_lines(content),
            path.rpartition("/")[0],
            lambda keys: {**self._written.files(device.id, keys), **written},
        )
        return _Changed(content, is_unanswered=found.paths != before.paths)
