"""Writes M3U playlists on every device: chosen playlists, favourites and albums.

    last known order of playlists ─┐
    completed files there ─────────┼─▶ M3U files, in the style of the device's preset
    favourites, albums ────────────┘

`services.generated_files.writer` decides when and where. Jellyfin is not asked, so a failed
request never shortens a list. A file that is not ours, or that a person has changed, stays as it
is, and ours gets another name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.domain.downloads.download import Status
from sidecar.domain.files.m3u import ListName, PlaylistEntry, assign_paths, is_playlist, render
from sidecar.domain.files.presets import PRESETS
from sidecar.errors import DeviceError
from sidecar.events import (
    AccountChanged,
    DeviceChanged,
    DownloadChanged,
    HoldsChanged,
    PlaylistChanged,
)
from sidecar.events import Event as News
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.generated_files.writer import GeneratedFileWriter
from sidecar.services.problems import Problems
from sidecar.store.files.completed import CompletedFiles
from sidecar.store.rules.playlist_orders import ChosenList, PlaylistOrders

log = logging.getLogger(__name__)

FAVOURITES = "Favourites"
FEWEST_OF_AN_ALBUM = 2


@dataclass(frozen=True, slots=True)
class _List(ListName):
    """A playlist as it should be on a device.

    Attributes:
        entries: None if they are not known yet: an existing file stays.
    """

    entries: Sequence[PlaylistEntry] | None


class PlaylistWriter(GeneratedFileWriter):
    """Keeps playlists up to date. One thread runs it; `hear` is safe for many."""

    what = "playlists"

    def __init__(
        self,
        *,
        registry: DeviceRegistry,
        orders: PlaylistOrders,
        on_device: CompletedFiles,
        problems: Problems,
        clock: Clock,
    ) -> None:
        super().__init__(registry=registry, on_device=on_device, problems=problems, clock=clock)
        self._orders = orders

    def hear(self, event: News) -> None:
        """Handle events about files, holds and playlists; a listener for the bus."""
        match event:
            case DownloadChanged(download=one, was=was, now=now):
                if Status.COMPLETED in {was, now}:
                    self.changed(one.device_id)
            case HoldsChanged(device_id=device_id) | DeviceChanged(device_id=device_id):
                self.changed(device_id)
            case PlaylistChanged() | AccountChanged():
                self.changed()
            case _:
                pass

    def _write(self, device: AttachedDevice) -> None:
        preset = PRESETS[device.settings.preset]
        own = device.folder.own_files
        ours = [one for one in own.names() if is_playlist(one)]
        lists = [*self._chosen(device), *self._favourites(device), *self._albums(device)]
        kept: set[str] = set()
        for one, paths in assign_paths(
            lists, preset, strangers=own.strangers(preset.folder), ours=ours
        ):
            if one.entries is None:
                kept.update(paths)
            elif one.entries:
                kept.update(self._put(device, paths, render(one.name, one.entries, preset)))
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
                yield _List(one.album_id, name, one.entries)

    def _put(self, device: AttachedDevice, paths: Sequence[str], content: bytes) -> Sequence[str]:
        """Write a list at the first free path; return the paths that must not be removed."""
        if not self._has_room(device, len(content)):
            return paths
        for path in paths:
            try:
                if device.folder.own_files.put(path, content):
                    log.info("%s is written on %s", path, device.settings.name)
            except DeviceError as trouble:
                if trouble.code != "name-taken":
                    raise
            else:
                return [path]
        log.info("a playlist has no place on %s: others have its names", device.settings.name)
        return []
