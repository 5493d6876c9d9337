"""Writes the index page and the manifest of every device.

`writer` decides when and where. Files that are not ours are not touched.
"""

from __future__ import annotations

from collections.abc import Callable

from sidecar.clock import Clock
from sidecar.domain.files.catalogue import group_works
from sidecar.domain.files.manifest import render_manifest
from sidecar.domain.files.removals import FileStat
from sidecar.domain.items.media_types import extension_in
from sidecar.errors import DeviceError
from sidecar.process.heap import return_freed, taking_turns
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.files.generated_files.index_page import page
from sidecar.services.files.generated_files.writer import GeneratedFileWriter
from sidecar.services.health.problems import Problems
from sidecar.store.files.completed import CompletedFiles

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
        with taking_turns():
            written = self._write_both(device)
        if written > LARGE:
            return_freed()

    def _write_both(self, device: AttachedDevice) -> int:
        """Write manifest and page; return how large the manifest is."""
        files = self._on_device.files(device.id)
        settings, own = device.settings, device.folder.own_files
        whole = render_manifest(
            files,
            server_id=self._server_id(),
            device_id=device.id,
            device_name=settings.name,
        )
        if self._has_room(device, len(whole)):
            own.put(MANIFEST, whole)
        if not settings.index:
            for name in (PAGE, OTHER_PAGE):
                own.remove(name)
            return len(whole)
        # The page links only to media files: a browser must not open anything else.
        found = group_works(one for one in files if extension_in(one.path))
        places = [place for one in found for place in one.cover_places]
        seen = device.folder.look(places)
        there = {place for place in places if isinstance(seen[place], FileStat)}
        shown = page(settings.name, found, there=there)
        if self._has_room(device, len(shown)):
            self._put_page(device, shown)
        return len(whole)

    def _put_page(self, device: AttachedDevice, shown: bytes) -> None:
        own = device.folder.own_files
        try:
            own.put(PAGE, shown)
            own.remove(OTHER_PAGE)
        except DeviceError as trouble:
            if trouble.code != "name-taken":
                raise
            own.put(OTHER_PAGE, shown)
