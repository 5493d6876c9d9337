"""Keeps the page and the manifest of every device as they should be.

    something arrived or went ─▶ a little later, when nothing is fetched any more ─┐
                              └▶ meanwhile at most every 30 s ─────────────────────┴▶ both written
    stop ──────────────────────▶ once more, if that is quick

They are left out where they would take more than a hundredth of what files may take, where there
is no room, and on a device that is paused or in trouble. A file of a stranger's keeps its name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock

from sidecar.clock import Clock
from sidecar.domain.balance import DeviceRoom
from sidecar.domain.catalogue import works
from sidecar.domain.downloads import Status
from sidecar.domain.manifest import manifest
from sidecar.domain.removals import Facts
from sidecar.errors import DeviceTrouble, SidecarError
from sidecar.events import DeviceChanged, DownloadChanged
from sidecar.events import Event as News
from sidecar.services.devices import Attached, DeviceShelf
from sidecar.services.stick.page import page
from sidecar.services.troubles import Kind, Troubles
from sidecar.store.on_device import OnDevice

log = logging.getLogger(__name__)

PAGE = "Offline library.html"
# If something of a stranger's has that name.
OTHER_PAGE = "Offline library (Jellyfin Sidecar).html"
MANIFEST = ".sidecar/manifest.json"
LOOK_EVERY_S = 1.0
# Once nothing has happened for so long, work has ended.
QUIET_S = 3.0
AT_MOST_EVERY_S = 30.0
# Covers come and go without news.
ALL_AGAIN_S = 600.0
# After what took long, for so many times as long: a slow stick is there for music.
SHARE_BUSY, SHARE_QUIET = 30.0, 5.0
# A stop waits for no slow stick.
QUICK_S = 0.5
# Of what files may take.
SMALL_PART = 100


@dataclass(slots=True)
class _Page:
    """How one device stands.

    Attributes:
        folder: Tells whether it is still the same attachment.
        since: When something first changed that is not written yet; None if nothing did.
        changed: When something changed last.
        written, took: When it was written last, and how long that took.
    """

    folder: object
    since: float | None
    changed: float
    written: float
    took: float = 0.0


class StickWriter:
    """One thread runs it; `hear` is safe for many."""

    def __init__(
        self,
        *,
        shelf: DeviceShelf,
        on_device: OnDevice,
        troubles: Troubles,
        server_id: Callable[[], str | None],
        clock: Clock,
    ) -> None:
        self._shelf = shelf
        self._on_device = on_device
        self._troubles = troubles
        self._server_id = server_id
        self._clock = clock
        self._lock = Lock()
        self._pages: dict[str, _Page] = {}

    def hear(self, event: News) -> None:
        """Take news of what arrived and went; a listener for the bus."""
        match event:
            case DownloadChanged(download=one, was=was, now=now):
                if Status.COMPLETED in {was, now} and was is not now:
                    self._changed(one.device_id)
            case DeviceChanged(device_id=device_id):
                self._changed(device_id)
            case _:
                pass

    def run(self, stop: Event) -> None:
        """Look every second until `stop` is set; then once more."""
        while not self._clock.wait(stop, LOOK_EVERY_S):
            self._try_step(ending=False)
        self._try_step(ending=True)

    def step(self, *, ending: bool = False) -> None:
        """Write what is due; when it is `ending`, all that is quick."""
        for device in self._shelf.all():
            standing = self._standing(device)
            if not self._is_due(device, standing, ending=ending):
                continue
            began = self._clock.monotonic()
            with self._lock:
                # What changes from now on is due again.
                standing.since = None
            try:
                self._write(device)
            except DeviceTrouble as trouble:
                log.info("the page of %s waits: %s", device.settings.name, trouble)
            standing.written = self._clock.monotonic()
            standing.took = standing.written - began

    def _try_step(self, *, ending: bool) -> None:
        try:
            self.step(ending=ending)
        except SidecarError as trouble:
            log.warning("%s", trouble)
        except Exception:
            log.exception("a device's page could not be written in a way nobody foresaw")

    def _standing(self, device: Attached) -> _Page:
        now = self._clock.monotonic()
        with self._lock:
            there = self._pages.get(device.id)
            if there is None or there.folder is not device.folder:
                there = _Page(device.folder, now, now, now - AT_MOST_EVERY_S)
                self._pages[device.id] = there
            if there.since is None and now - there.written >= ALL_AGAIN_S:
                there.since = there.changed = now
            return there

    def _changed(self, device_id: str) -> None:
        now = self._clock.monotonic()
        with self._lock:
            there = self._pages.get(device_id)
            if there is not None:
                there.changed = now
                there.since = now if there.since is None else there.since

    def _is_due(self, device: Attached, standing: _Page, *, ending: bool) -> bool:
        if standing.since is None or device.settings.paused:
            return False
        if self._troubles.of(Kind.DEVICE, device.id) is not None:
            return False
        if ending:
            return standing.took < QUICK_S
        now = self._clock.monotonic()
        rested = now - standing.written
        if rested >= max(AT_MOST_EVERY_S, SHARE_BUSY * standing.took):
            return True
        is_quiet = now - standing.changed >= QUIET_S and rested >= SHARE_QUIET * standing.took
        return is_quiet and not self._on_device.is_busy(device.id)

    def _write(self, device: Attached) -> None:
        files = self._on_device.files(device.id)
        settings, own = device.settings, device.folder.own_files
        whole = manifest(
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
            return
        found = works(files)
        places = [place for one in found for place in one.cover_places]
        seen = device.folder.look(places)
        there = {place for place in places if isinstance(seen[place], Facts)}
        shown = page(settings.name, found, there=there)
        if self._has_room(device, len(shown)):
            self._put_page(device, shown)

    def _put_page(self, device: Attached, shown: bytes) -> None:
        own = device.folder.own_files
        try:
            own.put(PAGE, shown)
            own.remove(OTHER_PAGE)
        except DeviceTrouble as trouble:
            if trouble.code != "name-taken":
                raise
            own.put(OTHER_PAGE, shown)

    def _has_room(self, device: Attached, size: int) -> bool:
        limits = DeviceRoom(
            name=device.settings.name,
            space=device.folder.space(),
            budget=device.settings.budget,
            reserve=device.settings.reserve,
        )
        is_small = size * SMALL_PART <= limits.most
        return is_small and size <= limits.space.free - limits.kept
