"""The formats of the devices, and replacing files after the format was changed.

    a setting changed ─▶ pending downloads get the new format at once
                      └▶ files: the cost is shown ─▶ a person confirms ─▶ replaced, a few at a time

Films that are there stay as they are, whatever is set later; only music is made anew. No file is
replaced before a person confirms exactly this format. Then only a few files are missing
at any time, and only files that the server still has are replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial
from threading import Lock

from sidecar.config import DeviceSettings
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.formats.films import FilmFormat
from sidecar.domain.formats.formats import ORIGINAL, TAGGED, Format, name_for
from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.space.reformat import Cost, estimate_cost
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.errors import ConfigError, DeviceError, JellyfinError, NotAllowed, NotFound
from sidecar.events import DeviceChanged, Event
from sidecar.messages import msg
from sidecar.process.threads import attempt
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.transfers.claims import Claims
from sidecar.store.stores import Stores
from sidecar.transfer.converting.programs import NoConverter

log = logging.getLogger(__name__)

AT_ONCE = 4
CONFIRMED = "reformat:"
REFORMAT = "reformat"


def check_format(
    settings: DeviceSettings, can_make: Callable[[Format | FilmFormat], object]
) -> None:
    """Check that the formats of a device can be made here.

    Args:
        settings: Settings of a device.
        can_make: Raises `NoConverter` if a format cannot be made.

    Raises:
        errors.ConfigError: It cannot be made; says why and what helps.
    """
    for key, wanted in (("format", settings.format), ("video", settings.film_format)):
        try:
            can_make(wanted)
        except NoConverter as why:
            named = f"{settings.name}: {key}"
            raise ConfigError("devices", named, wanted.value, str(why)) from None


class DeviceFormats:
    """Knows the formats, and replaces files. Thread-safe; one thread calls `step`."""

    def __init__(
        self,
        book: DeviceSettingsService,
        *,
        stores: Stores,
        registry: DeviceRegistry,
        claims: Claims,
        item: Callable[[Download], Item],
        server_is_there: Callable[[], bool],
    ) -> None:
        """Prepare.

        Args:
            book: The settings of the devices.
            stores: The known devices, their files, and which formats people confirmed.
            registry: The attached devices.
            claims: The downloads that workers are busy with.
            item: Requests a download's item from the server, as the account that fetches it.
            server_is_there: Whether the server can be asked.
        """
        self._book = book
        self._db = stores.db
        self._store = stores.formats
        self._devices = stores.devices
        self._downloads = stores.downloads
        self._registry = registry
        self._meta = stores.meta
        self._claims = claims
        self._item = item
        self._server_is_there = server_is_there
        self._kept: set[int] = set()
        self._lock = Lock()
        self._aligned: dict[str, tuple[str, str]] = {}

    def of(self, device_id: str, item_type: str) -> str:
        """Return the name of the format that a device gets items of this type in."""
        settings = self._book.of(device_id)
        if settings is None:
            return ORIGINAL
        return name_for(
            settings.target,
            item_type,
            film=settings.film_target,
            completes_tags=settings.complete_tags,
        )

    def wanted(self, download: Download) -> str:
        """Return the name of the format that a download should have now."""
        return self.of(download.device_id, download.item_type)

    def align(self) -> None:
        """Give all pending downloads the format that is set now; called at start."""
        for device in self._devices.all():
            self._align(device.id)

    def hear(self, event: Event) -> None:
        """Listen to the bus: pending downloads of a changed device get its format."""
        if isinstance(event, DeviceChanged):
            self._align(event.device_id)

    def cost(self, device_id: str) -> Cost:
        """Return what it costs to replace the files that are not in the format that is set now."""
        return self.costs([device_id])[device_id]

    def costs(self, device_ids: Collection[str]) -> Mapping[str, Cost]:
        """Return the same for some devices."""
        names = {one: self.of(one, ItemType.AUDIO) for one in device_ids}
        # The tags of originals are completed where they are: see `tag_completion`.
        others = self._store.others(
            {one: (name, ORIGINAL if name == TAGGED else None) for one, name in names.items()}
        )
        costs = {}
        for one, name in names.items():
            settings = self._book.of(one)
            target = settings.target if settings is not None else None
            costs[one] = estimate_cost(name, target, others.get(one, ()))
        return costs

    def is_confirmed(self, device_id: str, name: str) -> bool:
        """Whether a person has confirmed that the files of a device are replaced in this format."""
        return self._meta.get(f"{CONFIRMED}{device_id}") == name

    def confirm(self, device_id: str, name: str) -> bool:
        """Confirm a format; return False if it is not the one that is set now."""
        if name != self.of(device_id, ItemType.AUDIO):
            return False
        self._meta.set(f"{CONFIRMED}{device_id}", name)
        return True

    def step(self) -> None:
        """Replace a few files on each device where a format is confirmed."""
        for device in self._registry.all():
            attempt(partial(self._look_at, device), f"the format of {device.settings.name}")

    def _look_at(self, device: AttachedDevice) -> None:
        if not self.is_confirmed(device.id, self.of(device.id, ItemType.AUDIO)):
            return
        try:
            self._go_on(device)
        except DeviceError as trouble:
            self._registry.trouble(device.id, trouble)

    def _go_on(self, device: AttachedDevice) -> None:
        found = self.cost(device.id)
        if found.as_wanted:
            # Their tags are not completed yet.
            is_tagged = found.format == TAGGED
            self._store.relabel(found.as_wanted, ORIGINAL if is_tagged else found.format)
        if not self._server_is_there() or device.id in self._registry.blocked():
            return
        room = AT_ONCE - self._on_the_way(device.id)
        waiting = [one for one in found.anew if one not in self._kept]
        for download_id in waiting[: max(0, room)]:
            download = self._downloads.queries.get(download_id)
            if download is not None and download.status is Status.COMPLETED:
                self._anew(device, download, found.format)

    def _on_the_way(self, device_id: str) -> int:
        return sum(
            one.error_code == REFORMAT
            for one in self._downloads.queries.on_the_way(device_id, -(2**31))
        )

    def _anew(self, device: AttachedDevice, download: Download, name: str) -> None:
        """Queue a file to be fetched again, and remove it.

        The row changes first, so that the removal is not taken for a person's.
        """
        there = device.folder.stat(download.file_path)
        if there is None or there.size != download.file_size:
            log.warning("%s is not as it arrived: left alone", download.file_path)
            self._store.relabel([download.id], name)
            return
        if not self._is_still_there(download):
            return
        # No worker begins before the original is in its place and the file is gone.
        if self._claims.take(lambda busy: None if download.id in busy else download) is None:
            return
        try:
            self._queue_again(device, download, name)
        finally:
            self._claims.end(download.id)

    def _queue_again(self, device: AttachedDevice, download: Download, name: str) -> None:
        text = msg("It is downloaded again in the format that is set now")
        failure = Failure(FailureClass.TRANSIENT, REFORMAT, text)
        original, part = device.folder.original(download.id), device.folder.part(download.id)
        has_original = download.original_size is not None and download.validator is not None
        has_original = has_original and original.size() == download.original_size
        with self._db.write():
            current = self._downloads.queries.find_as_seen(download)
            # The server may have taken long to answer, and people do other things meanwhile.
            if current is None or not self._is_still_meant(device, name):
                return
            self._downloads.transitions.mark_damaged(current, failure, has_part=has_original)
            self._store.align(device.id, name)
        log.info("%s is fetched again as %s", download.file_path, name)
        if has_original:
            original.rename_to(part)
        device.remove_file(download)

    def _is_still_meant(self, device: AttachedDevice, name: str) -> bool:
        """Whether files of a device may be replaced by such in this format."""
        is_set = self.of(device.id, ItemType.AUDIO) == name and self.is_confirmed(device.id, name)
        return is_set and device.id not in self._registry.blocked()

    def _is_still_there(self, download: Download) -> bool:
        """Whether the server still has the file; one that it does not have is kept as it is."""
        try:
            item = self._item(download)
        except (NotFound, NotAllowed):
            log.info("%s stays as it is: the server has it no more", download.title)
            self._kept.add(download.id)
            return False
        except JellyfinError as trouble:
            log.info("%s is not fetched again yet: %s", download.title, trouble)
            return False
        if item.can_download is False or item.is_remote:
            self._kept.add(download.id)
            return False
        return True

    def _align(self, device_id: str) -> None:
        names = self.of(device_id, ItemType.AUDIO), self.of(device_id, ItemType.MOVIE)
        with self._lock:
            if self._aligned.get(device_id) == names:
                return
            self._aligned[device_id] = names
        self._store.align(device_id, *names)
