"""Renames finished files on their devices after their titles have changed, without a transfer.

    new title ─▶ planned in the row ─▶ device attached ─▶ file renamed, row updated
                                                       └▶ lyrics, subtitles and cover follow

An existing file is never replaced. After a crash in between, the next step finds the file under
either name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice

from sidecar.device.folder import DeviceFolder
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.companions import CompanionKind, companion_kind, cover_path
from sidecar.domain.files.naming import build_distinct_path, get_extension, make_path_key
from sidecar.domain.files.presets import PRESETS
from sidecar.errors import DeviceError
from sidecar.events import Bus, DeviceChanged
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.downloads.queue import Downloads

log = logging.getLogger(__name__)

AT_ONCE = 100
# Of a companion file.
MOST_BYTES = 16 * 1024 * 1024


class FileRenaming:
    """Renames the files for which that is planned. One thread runs it."""

    def __init__(self, downloads: Downloads, registry: DeviceRegistry, bus: Bus) -> None:
        self._downloads = downloads
        self._registry = registry
        self._bus = bus

    def step(self) -> None:
        """Rename the planned files on attached devices that can be used now."""
        for device in self._registry.all():
            if device.id in self._registry.blocked():
                continue
            planned = self._downloads.identity.to_rename(device.id)
            try:
                done = [self._rename(device, *one) for one in islice(_in_order(planned), AT_ONCE)]
            except DeviceError as trouble:
                self._registry.trouble(device.id, trouble)
                continue
            if done:
                self._bus.publish(DeviceChanged(device.id))

    def _rename(self, device: AttachedDevice, download: Download, paths: Sequence[str]) -> bool:
        size = download.file_size or 0
        for path in paths:
            if path == download.file_path:
                break
            place = FilePlace(path, make_path_key(path))
            try:
                is_there = device.folder.rename(download.file_path, path, size=size)
            except DeviceError as trouble:
                if trouble.code != "name-taken":
                    raise
                continue
            # After a crash it may have been renamed already.
            if not is_there and not _is_its_file(device.folder, path, download):
                break
            if not self._downloads.queue.follow(download, place):
                # Another download has the path by now, or the row has another state.
                if not (is_there and self._is_to_go(download)):
                    device.folder.rename(path, download.file_path, size=size)
                    continue
                # It was deleted while it was on its way, and not found at its old place.
                device.remove_file(download, path=path)
                break
            log.info("%s is %s now on %s", download.file_path, path, device.settings.name)
            self._bring_along(device, download, path)
            if paths[0] == download.wanted_path:
                self._downloads.identity.end_rename(download)
            return True
        self._downloads.identity.end_rename(download)
        return False

    def _is_to_go(self, download: Download) -> bool:
        """Whether the file was deleted, or is to be fetched anew, since it was planned."""
        now = self._downloads.queries.get(download.id)
        return now is not None and now.status is not Status.COMPLETED

    def _bring_along(self, device: AttachedDevice, download: Download, path: str) -> None:
        """Copy the companions of a file to its new name, and remove the old ones.

        An old cover is left for the companion writer, as other files may share it.
        """
        folder, own = device.folder, device.folder.own_files
        names, cover = frozenset(own.names()), PRESETS[device.settings.preset].cover_name
        for was, now in _beside(download, path, names, cover):
            if now in names or folder.stat(now) is not None:
                continue
            try:
                with folder.open(was) as file:
                    content = file.read(MOST_BYTES)
                own.put(now, content)
                if companion_kind(was) is not CompanionKind.COVER:
                    own.remove(was)
            except DeviceError as trouble:
                if trouble.code != "name-taken":
                    raise
        folder.prune(download.file_path)
        # A folder of several albums has no cover: now each of them may have one.
        self._downloads.identity.forget_companions(download)


def _in_order(planned: Sequence[Download]) -> Iterator[tuple[Download, Sequence[str]]]:
    """Yield files with the paths where they may go, best first, those before whose place is free.

    A file whose new place another one of them still has waits for that one. If all wait for each
    other, one of them makes way.
    """
    held = {make_path_key(one.file_path): one.id for one in planned}
    waiting = []
    for one in planned:
        wanted = one.wanted_path or one.file_path
        if held.get(make_path_key(wanted), one.id) == one.id:
            yield one, (wanted, build_distinct_path(wanted, one.item_id))
        else:
            waiting.append(one)
    if waiting and len(waiting) == len(planned):
        first = waiting[0]
        yield first, (build_distinct_path(first.file_path, first.item_id),)


def _is_its_file(folder: DeviceFolder, path: str, download: Download) -> bool:
    """Whether what is at a path is the file of a download, and not a person's of its size."""
    there = folder.stat(path)
    if there is None or there.size != download.file_size:
        return False
    known = download.content_hash
    return known is None or folder.content_hash(path) == known


def _beside(
    download: Download, path: str, names: frozenset[str], cover_name: str
) -> Iterator[tuple[str, str]]:
    was = download.file_path
    stem, new = (one.removesuffix(f".{get_extension(one)}") for one in (was, path))
    for name in names:
        if name.startswith(f"{stem}.") and companion_kind(name) in {
            CompanionKind.LYRICS,
            CompanionKind.SUBTITLES,
        }:
            yield name, f"{new}{name.removeprefix(stem)}"
    old_cover, cover = (cover_path(one, download.item_type, cover_name) for one in (was, path))
    if old_cover in names and cover is not None and old_cover is not None and cover != old_cover:
        yield old_cover, cover
