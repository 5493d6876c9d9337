"""Writes the index page and the manifest of every device, if what they tell has changed.

`writer` decides when and where. Files that are not ours are not touched. What both were made of is
noted with them on the device, so that a start does not make them anew only to find them the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import merge

import xxhash

from sidecar import __version__
from sidecar.clock import Clock
from sidecar.domain.adoption.restore import ManifestFile as FoundFile
from sidecar.domain.files.catalogue import COVERS, group_works
from sidecar.domain.files.manifest import ManifestFile, render_manifest
from sidecar.domain.files.removals import FileStat
from sidecar.domain.items.media_types import extension_in
from sidecar.errors import DeviceError
from sidecar.process.heap import return_freed
from sidecar.process.threads import go_through
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.files.generated_files.index_page import page, source_digest
from sidecar.services.files.generated_files.others import find_others
from sidecar.services.files.generated_files.writer import GeneratedFileWriter
from sidecar.services.health.problems import Problems
from sidecar.store.files.completed import CompletedFiles
from sidecar.store.schema.fields import EPOCH

PAGE = "Offline library.html"
# If a file that is not ours has that name.
OTHER_PAGE = "Offline library (Jellyfin Sidecar).html"
MANIFEST = ".sidecar/manifest.json"
LARGE = 1024 * 1024  # a manifest of some thousand files


class IndexWriter(GeneratedFileWriter):
    """Keeps index page and manifest up to date. One thread runs it; `hear` is safe for many."""

    what = "page"

    def __init__(
        self,
        *,
        registry: DeviceRegistry,
        on_device: CompletedFiles,
        problems: Problems,
        server_id: Callable[[], str | None],
        clock: Clock,
    ) -> None:
        super().__init__(registry=registry, on_device=on_device, problems=problems, clock=clock)
        self._server_id = server_id

    def _write(self, device: AttachedDevice) -> None:
        with self._taking_turns():
            made_of, covers = self._look_at_sources(device)
            written = 0 if self._is_made(device, made_of) else self._make(device, covers, made_of)
        if written > LARGE:
            return_freed()

    def _look_at_sources(self, device: AttachedDevice) -> tuple[str, Sequence[str]]:
        """Return what names all that both are made of, and the names of possible covers.

        That takes a seventh of the time of making them, and hardly any memory.
        """
        settings, folders = device.settings, set[str]()
        told = (__version__, source_digest(), self._server_id(), settings.name, settings.index)
        digest = xxhash.xxh3_128(repr(told).encode())
        for row in go_through(self._on_device.each_row(device.id), self._is_over):
            digest.update(repr(row).encode())
            folder = row[1].rpartition("/")[0]
            # A series may have its cover in the folder above its seasons.
            folders |= {folder, folder.partition("/")[0]}
        names = {one.lower() for one in COVERS}
        covers = device.folder.find_named(folders - {""}, names, is_over=self._is_over)
        digest.update(repr(covers).encode())
        return digest.hexdigest(), covers

    def _is_made(self, device: AttachedDevice, made_of: str) -> bool:
        own = device.folder.own_files
        if not own.is_made_of(MANIFEST, made_of):
            return False
        pages = (PAGE, OTHER_PAGE)
        if not device.settings.index:
            return not {*pages} & {*own.names()}
        return own.is_made_of(PAGE, made_of) or own.is_made_of(OTHER_PAGE, made_of)

    def _make(self, device: AttachedDevice, covers: Sequence[str], made_of: str) -> int:
        """Write manifest and page, one after the other; return how large the manifest is."""
        written = self._make_manifest(device, made_of)
        if device.settings.index:
            self._make_page(device, covers, made_of)
        else:
            for name in (PAGE, OTHER_PAGE):
                device.folder.own_files.remove(name)
        return written

    def _make_manifest(self, device: AttachedDevice, made_of: str) -> int:
        whole = render_manifest(
            self._each_file(device),
            server_id=self._server_id(),
            device_id=device.id,
            device_name=device.settings.name,
        )
        if self._has_room(device, len(whole)):
            device.folder.own_files.put(MANIFEST, whole, made_of=made_of)
        return len(whole)

    def _each_file(self, device: AttachedDevice) -> Iterator[ManifestFile]:
        """Yield what the manifest lists, by path; what others have put there stays in it."""
        ours = go_through(self._on_device.each_file(device.id), self._is_over)
        others = find_others(device, {*self._on_device.paths(device.id)}, self._is_over)
        if not others:
            return iter(ours)
        # An item is in it once.
        known = {one.item_id for one in self._on_device.each_file(device.id)}
        kept = sorted(
            (_as_listed(one) for one in others if one.item_id not in known),
            key=lambda one: one.path,
        )
        return merge(ours, kept, key=lambda one: one.path)

    def _make_page(self, device: AttachedDevice, covers: Sequence[str], made_of: str) -> None:
        files = self._on_device.files(device.id)
        # The page links only to media files: a browser must not open anything else.
        media = (one for one in files if extension_in(one.path))
        found = group_works(go_through(media, self._is_over))
        listed = {_fold_name(one) for one in covers}
        places = [
            place for one in found for place in one.cover_places if _fold_name(place) in listed
        ]
        seen = device.folder.look(places, is_over=self._is_over)
        there = {place for place in places if isinstance(seen[place], FileStat)}
        shown = page(device.settings.name, found, there=there)
        if self._has_room(device, len(shown)):
            self._put_page(device, shown, made_of)

    def _put_page(self, device: AttachedDevice, shown: bytes, made_of: str) -> None:
        own = device.folder.own_files
        try:
            own.put(PAGE, shown, made_of=made_of)
            own.remove(OTHER_PAGE)
        except DeviceError as trouble:
            if trouble.code != "name-taken":
                raise
            own.put(OTHER_PAGE, shown, made_of=made_of)


def _as_listed(one: FoundFile) -> ManifestFile:
    """Return an entry that was read as one to write."""
    return ManifestFile(
        item_id=one.item_id,
        path=one.path,
        title=one.title,
        artist=one.artist,
        album=one.album,
        kind=one.kind.value,
        size=one.size,
        content_hash=one.content_hash,
        completed_at=one.completed_at or EPOCH,
        format=one.format,
        source_size=one.source_size,
    )


def _fold_name(path: str) -> str:
    """Return the path with the name in lower case: FAT finds a file by any."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name.lower()}"
