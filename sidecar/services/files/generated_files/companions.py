"""Writes covers, lyrics and subtitles beside the files on every device, and removes them again.

    a file arrived ─▶ one request for a hundred files tells what exists ─▶ that is fetched
    a file is gone ─▶ its companions are removed; a cover with the last file of its folder

`writer` decides when and where. Files that are not ours are not
touched. A cover that a person deleted is not written again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sidecar.clock import Clock
from sidecar.confined.reader import ConfinedReader
from sidecar.domain.files.companions import (
    CompanionKind,
    companion_kind,
    cover_path,
    has_cover_name,
    is_orphaned,
    lyrics_path,
    media_stems,
    render_lrc,
    subtitle_paths,
)
from sidecar.domain.files.presets import PRESETS
from sidecar.errors import DeviceError
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.companions import CompanionList, Companions
from sidecar.process.threads import go_through
from sidecar.services.devices.registry import AttachedDevice, DeviceRegistry
from sidecar.services.files.generated_files.others import find_others
from sidecar.services.files.generated_files.writer import GeneratedFileWriter
from sidecar.services.health.problems import Problems
from sidecar.store.files.companions import CompanionFiles, NewFile
from sidecar.store.files.completed import CompletedFiles

log = logging.getLogger(__name__)

AT_ONCE = 100
# Of a cover.
MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Companion:
    """A companion file to write."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _FileToComplete:
    """A file whose companions are looked for.

    Attributes:
        is_mixed: Whether music of other albums, or of none, lies in its folder.
    """

    file: NewFile
    is_mixed: bool


class CompanionWriter(GeneratedFileWriter):
    """Keeps companions up to date. One thread runs it; `hear` is safe for many."""

    what = "covers"

    def __init__(
        self,
        *,
        registry: DeviceRegistry,
        on_device: CompletedFiles,
        unfetched: CompanionFiles,
        client: Callable[[str], Jellyfin],
        cover_changed: Callable[[str], object],
        problems: Problems,
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            registry: The devices.
            on_device: The completed files there.
            unfetched: The files whose companions were not fetched yet.
            client: Returns the Jellyfin client of an account, or raises `SignedOut`.
            cover_changed: Called with the id of a device where a cover was written or removed.
            problems: The present problems of devices.
            clock: For all waits.
        """
        super().__init__(registry=registry, on_device=on_device, problems=problems, clock=clock)
        self._unfetched = unfetched
        self._client = client
        self._cover_changed = cover_changed

    def _write(self, device: AttachedDevice) -> None:
        kinds = _kinds(device)
        with self._taking_turns():
            mixed = self._on_device.mixed_folders(device.id)
        self._clear(device, kinds, mixed)
        waiting = self._unfetched.waiting(device.id, AT_ONCE)
        by_account = sorted(waiting, key=lambda one: (one.user_id, one.path))
        for user_id, group in groupby(by_account, key=lambda one: one.user_id):
            found = [_FileToComplete(one, _folder(one.path) in mixed) for one in group]
            self._bring(device, kinds, Companions(self._client(user_id)), found)
        if len(waiting) == AT_ONCE:
            self.changed(device.id)

    def _clear(
        self,
        device: AttachedDevice,
        kinds: frozenset[CompanionKind],
        mixed: frozenset[str],
    ) -> None:
        """Remove companions whose file is gone, or that are not wanted here; rename covers."""
        own = device.folder.own_files
        ours = [one for one in own.names() if companion_kind(one) is not None]
        if not ours:
            return
        # Companions of a missing file stay until people decide about it.
        paths = self._on_device.paths(device.id)
        files = media_stems(paths)
        if any(is_orphaned(one, files) for one in ours):
            others = find_others(device, {*paths}, self._is_over)
            files |= media_stems(one.path for one in others)
        for path in ours:
            is_wanted = companion_kind(path) in kinds and not is_orphaned(path, files)
            if has_cover_name(path):
                is_wanted = is_wanted and _folder(path) not in mixed
                if is_wanted:
                    self._name_cover(device, path)
            if not is_wanted and own.remove(path):
                log.info("%s went from %s", path, device.settings.name)
                self._tell(device, path)

    def _name_cover(self, device: AttachedDevice, path: str) -> None:
        """Give a cover the name that the player looks for, without fetching it again."""
        name = PRESETS[device.settings.preset].cover_name
        if path.rpartition("/")[2] == name or device.folder.stat(path) is None:
            return
        with device.folder.open(path) as file:
            content = file.read(MOST_BYTES)
        self._put(device, _Companion(f"{_folder(path)}/{name}", content))
        device.folder.own_files.remove(path)

    def _bring(
        self,
        device: AttachedDevice,
        kinds: frozenset[CompanionKind],
        companions: Companions,
        files: Sequence[_FileToComplete],
    ) -> None:
        extras = companions.of([one.file.item_id for one in files]) if kinds else {}
        with ConfinedReader() as reader:
            for one in go_through(files, self._is_over, each=1):
                more = extras.get(one.file.item_id)
                if CompanionKind.COVER in kinds and not one.is_mixed:
                    self._put_all(device, _cover(device, companions, one.file, more, reader))
                if more is not None:
                    self._put_all(device, _texts(device, kinds, companions, one.file, more))
                self._unfetched.note([one.file])

    def _put_all(self, device: AttachedDevice, found: Iterable[_Companion]) -> None:
        for put in found:
            self._put(device, put)

    def _put(self, device: AttachedDevice, put: _Companion) -> None:
        if not self._has_room(device, len(put.content)):
            return
        try:
            if device.folder.own_files.put(put.path, put.content):
                self._tell(device, put.path)
        except DeviceError as trouble:
            if trouble.code != "name-taken":
                raise
            log.info("%s on %s is somebody else's", put.path, device.settings.name)

    def _tell(self, device: AttachedDevice, path: str) -> None:
        if companion_kind(path) is CompanionKind.COVER:
            self._cover_changed(device.id)


def _kinds(device: AttachedDevice) -> frozenset[CompanionKind]:
    wanted = {
        CompanionKind.COVER: device.settings.covers,
        CompanionKind.LYRICS: device.settings.lyrics,
        CompanionKind.SUBTITLES: device.settings.subtitles,
    }
    return frozenset(kind for kind, is_wanted in wanted.items() if is_wanted)


def _cover(
    device: AttachedDevice,
    companions: Companions,
    file: NewFile,
    extras: CompanionList | None,
    reader: ConfinedReader,
) -> Iterator[_Companion]:
    """Yield the cover of a file's folder, unless it was written before, exists or has no source.

    The picture of the album comes before those of its tracks, which may have one each.
    """
    path = cover_path(file.path, file.item_type, PRESETS[device.settings.preset].cover_name)
    item_id, tag = file.image_item_id, file.image_tag
    if extras is not None and None not in {extras.album_id, extras.album_image_tag}:
        item_id, tag = extras.album_id, extras.album_image_tag
    if path is None or item_id is None or tag is None:
        return
    if path in device.folder.own_files.names() or device.folder.stat(path) is not None:
        return
    pixels = PRESETS[device.settings.preset].cover_pixels
    body = companions.picture(item_id, tag, pixels)
    made = None if body is None else reader.cover(body, most=pixels)
    if made is not None:
        yield _Companion(path, made)
    elif body is not None:
        log.info("the cover of %s is no picture that can be read", file.path)


def _texts(
    device: AttachedDevice,
    kinds: frozenset[CompanionKind],
    companions: Companions,
    file: NewFile,
    extras: CompanionList,
) -> Iterator[_Companion]:
    if CompanionKind.LYRICS in kinds and extras.has_lyrics:
        knows_words = PRESETS[device.settings.preset].knows_words
        text = render_lrc(companions.lyrics(file.item_id), knows_words=knows_words)
        if text:
            yield _Companion(lyrics_path(file.path), text.encode())
    if CompanionKind.SUBTITLES in kinds:
        for path, one in subtitle_paths(file.path, extras.subtitles).items():
            body = companions.subtitles(file.item_id, extras.source_id, one)
            if body is not None:
                yield _Companion(path, body)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
