"""Completes the tags of unconverted music from Jellyfin's data, on devices with `complete_tags`.

    just fetched  ─▶ a copy with completed tags gets the final name
    there already ─▶ such a copy beside it ─▶ its size and hash committed ─▶ renamed over it

The copy is made on the device; nothing is fetched. A file that is not as it arrived is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from threading import Event

from sidecar.clock import Clock
from sidecar.device.own.parts import PartFile
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.removals import FileStat
from sidecar.domain.formats.formats import MUSIC, ORIGINAL, TAGGED, read_any_target
from sidecar.domain.items.item import ItemType
from sidecar.errors import DeviceError, JellyfinError, NotAllowed, NotFound, Stopped
from sidecar.events import Bus, DeviceChanged
from sidecar.process.threads import run_periodically
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.transfers.claims import Claims
from sidecar.store.downloads.formats import FormatStore
from sidecar.store.downloads.queue import Downloads
from sidecar.transfer.tagging.completer import CompletedCopy, TagCompleter
from sidecar.transfer.tagging.wishes import TagWishes

log = logging.getLogger(__name__)

EVERY_S = 30.0
AT_ONCE = 200
# Upper estimate for added tags and a cover.
MORE_BYTES = 512 * 1024


def is_to_be_completed(device: AttachedDevice, download: Download) -> bool:
    """Whether the tags of an unconverted file should be completed on its device."""
    return device.settings.complete_tags and download.item_type in MUSIC


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCompletionParts:
    """The collaborators of `TagCompletion`.

    Attributes:
        of: Returns the name of the format that a device gets items of a type in.
        wishes: Returns how the tags of a file should be; its calls raise errors of Jellyfin.
        server_is_there: Whether Jellyfin can be asked.
    """

    registry: DeviceRegistry
    downloads: Downloads
    store: FormatStore
    claims: Claims
    completer: TagCompleter
    of: Callable[[str, str], str]
    wishes: Callable[[AttachedDevice, Download], TagWishes]
    server_is_there: Callable[[], bool]
    bus: Bus
    clock: Clock


class TagCompletion:
    """Completes the tags of files that are on devices already. One thread runs it."""

    def __init__(self, parts: TagCompletionParts) -> None:
        self._parts = parts
        self._passed_over: set[int] = set()

    def run(self, stop: Event) -> None:
        """Step every few seconds until `stop` is set."""
        wait = partial(self._parts.clock.wait, stop, EVERY_S)
        run_periodically(self.step, stop, wait, "completing tags")

    def step(self) -> None:
        """Complete the tags of some files on each device that wants it and can be used now."""
        parts = self._parts
        if not parts.server_is_there():
            return
        for device in parts.registry.all():
            is_of_use = device.id not in parts.registry.blocked() and not device.settings.paused
            if is_of_use and parts.of(device.id, ItemType.AUDIO) == TAGGED:
                try:
                    done = [self._complete(device, one) for one in self._waiting(device)]
                except DeviceError as trouble:
                    parts.registry.trouble(device.id, trouble)
                except (Stopped, JellyfinError) as waits:
                    log.info("the tags on %s wait: %s", device.settings.name, waits)
                    return
                else:
                    if any(done):
                        parts.bus.publish(DeviceChanged(device.id))

    def _waiting(self, device: AttachedDevice) -> Iterator[Download]:
        ids = self._parts.store.in_format(device.id, ORIGINAL)
        for download_id in [one for one in ids if one not in self._passed_over][:AT_ONCE]:
            download = self._parts.downloads.queries.get(download_id)
            if download is not None and download.status is Status.COMPLETED:
                yield download

    def _complete(self, device: AttachedDevice, download: Download) -> bool:
        """Complete the tags of one file; return whether the file was replaced."""
        claims, registry = self._parts.claims, self._parts.registry

        def claim(busy: Collection[int]) -> Download | None:
            # Asked in here: who ejects the device stops what was claimed before.
            is_blocked = device.id in registry.blocked()
            return None if is_blocked or download.id in busy else download

        taken = claims.take(claim)
        if taken is None:
            return False
        try:
            return self._replaced(device, download, taken[1])
        finally:
            claims.end(download.id)
            registry.unreserve(download.id)

    def _replaced(self, device: AttachedDevice, download: Download, stop: Event) -> bool:
        parts, folder = self._parts, device.folder
        size = download.file_size or 0
        there = folder.stat(download.file_path)
        more = size + MORE_BYTES
        refusal = parts.registry.reserve(
            device, download.id, remaining=more, size=MORE_BYTES, source=size
        )
        if there is None or there.size != size or refusal is not None:
            self._passed_over.add(download.id)
            return False
        part = folder.converted(download.id)
        with ExitStack() as cleared_away:
            cleared_away.callback(_remove, part)
            try:
                with folder.open(download.file_path) as original:
                    wishes = parts.wishes(device, download)
                    made = parts.completer.complete(original, size, part, wishes, stop)
            except (NotFound, NotAllowed) as unknown:
                log.info("%s keeps its tags: %s", download.file_path, unknown)
                self._passed_over.add(download.id)
                return False
            except OSError as error:
                log.warning("the tags of %s are not completed: %s", download.file_path, error)
                self._passed_over.add(download.id)
                return False
            if made is None:
                parts.store.relabel([download.id], TAGGED)
                return False
            if download.content_hash is not None and made.source_hash != download.content_hash:
                log.warning("%s is not as it arrived: left alone", download.file_path)
                self._passed_over.add(download.id)
                return False
            # From here on the row may tell of the copy: then recovery puts it in place.
            cleared_away.pop_all()
        return self._put(device, download, part, made, there)

    def _put(
        self,
        device: AttachedDevice,
        download: Download,
        part: PartFile,
        made: CompletedCopy,
        known: FileStat,
    ) -> bool:
        if not self._parts.downloads.transitions.tags_completed(
            download,
            size=made.size,
            content_hash=made.content_hash,
            source_hash=made.source_hash,
            format_name=TAGGED,
        ):
            _remove(part)
            return False
        try:
            device.folder.replace(part, download.file_path, known=known)
        except DeviceError as trouble:
            self._take_back(part, download, made)
            if trouble.code != "name-taken":
                raise
            # A person changed it meanwhile: only this file is left alone.
            self._passed_over.add(download.id)
            return False
        log.info("%s has whole tags now", download.file_path)
        return True

    def _take_back(self, part: PartFile, download: Download, made: CompletedCopy) -> None:
        """Let the row tell of the file that stays, if the copy certainly has not got its name.

        Else the next look would take that file for one that a person changed.
        """
        with suppress(DeviceError):
            if part.size() is not None:
                self._parts.downloads.transitions.take_back_tags(
                    download, content_hash=made.content_hash
                )
                part.remove()


def _remove(part: PartFile) -> None:
    with suppress(DeviceError):
        part.remove()


def needs_room_for_two(download: Download) -> bool:
    """Whether finishing a download may need room for a second copy, with completed tags."""
    return read_any_target(download.format) is None and download.format == TAGGED
