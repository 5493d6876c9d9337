"""Finishes a download: makes a whole part file the final file, in its format and with its name.

    fetched ─▶ converted, or left with a reason ─▶ extension ─▶ finalizing ─▶ rename ─▶ arrived
                                                    └── one file, or all that wait together ──┘

Before the rename the row says which of the two part files becomes the file, so that `recovery` can
finish the download after a crash at any moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Condition, Event

from sidecar.device.folder import DeviceFolder
from sidecar.device.own.parts import PartFile
from sidecar.domain.downloads.download import Download
from sidecar.domain.files.naming import (
    build_distinct_path,
    get_extension,
    make_path_key,
    safe_extension,
    with_extension,
)
from sidecar.domain.formats.films import FILMS, FilmTarget
from sidecar.domain.formats.formats import AnyTarget, explain_not_converted, read_any_target
from sidecar.domain.transfers.failures import TransferFailed
from sidecar.errors import DeviceError, NotCertain, Stopped
from sidecar.messages import msg
from sidecar.process.threads import attempt
from sidecar.services.devices.registry import AttachedDevice
from sidecar.services.transfers.finishing.tag_completion import is_to_be_completed
from sidecar.store.downloads.queue import Downloads, FilePlace
from sidecar.store.downloads.transitions import WholeFile
from sidecar.transfer.converting.converter import Converted, Converts, LeftAsIs
from sidecar.transfer.converting.films import ConvertsFilms, FetchedFilm
from sidecar.transfer.engine import Receipt
from sidecar.transfer.faults import classify_disk_error
from sidecar.transfer.tagging.completer import TagCompleter
from sidecar.transfer.tagging.wishes import TagWishes

log = logging.getLogger(__name__)

# So many files may wait for a slow device; then its workers wait as well.
MOST_WAITING = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedPart:
    """A part file that is ready for its final name.

    Attributes:
        part: The part file, whole and synced.
        extension: Extension of the final name; None leaves the name as it is.
        columns: Further columns of the row: size and hash of the source, and the format note.
        original_size: Size of the fetched original if it is kept as well, else None.
    """

    part: PartFile
    size: int
    content_hash: str
    mime_type: str | None
    extension: str | None
    columns: dict[str, object] = field(default_factory=dict)
    original_size: int | None = None

    @property
    def file(self) -> WholeFile:
        """What the row says of the file."""
        return WholeFile(self.size, self.content_hash, self.mime_type)


# Whether the file is recorded as arrived, or why it has no final name.
Outcome = bool | Exception


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A file that waits for its final name, and who wants to know the outcome."""

    device: AttachedDevice
    download: Download
    ready: FinishedPart
    ended: Callable[[Outcome], object]


FinishAll = Callable[[AttachedDevice, Sequence[tuple[Download, FinishedPart]]], Sequence[Outcome]]


class _Groups:
    """The files that wait for their final names, by device. Thread-safe.

    The first thread that comes finishes its file at once, and then, together, those that came
    meanwhile; the other threads hand theirs over and go on. So nobody waits for a timer, and a
    slow device holds up no other one.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        # A device is in here while a thread finishes files there.
        self._waiting: dict[DeviceFolder, list[_Waiting]] = {}

    def add(self, one: _Waiting, finish_all: FinishAll) -> None:
        """Finish a file, and then what came meanwhile; or hand it over to who does so already."""
        folder = one.device.folder
        with self._changed:
            while (waiting := self._waiting.get(folder)) is not None:
                if len(waiting) < MOST_WAITING:
                    waiting.append(one)
                    return
                self._changed.wait()
            self._waiting[folder] = []
        group = [one]
        while group:
            _finish_group(group, finish_all)
            group = self._take(folder)

    def _take(self, folder: DeviceFolder) -> list[_Waiting]:
        """Return what came meanwhile; none ends the turn of this thread."""
        with self._changed:
            group = self._waiting.pop(folder)
            if group:
                self._waiting[folder] = []
            self._changed.notify_all()
            return group


class Finisher:
    """Converts fetched files where needed, and gives them their final names. Thread-safe."""

    def __init__(
        self,
        downloads: Downloads,
        *,
        converter: Callable[[], Converts | None] = lambda: None,
        film_converter: Callable[[], ConvertsFilms | None] = lambda: None,
        wanted: Callable[[Download], str] = lambda download: download.format,
        wishes: Callable[[AttachedDevice, Download], TagWishes] = lambda _d, _f: TagWishes(),
        completer: TagCompleter | None = None,
    ) -> None:
        """Prepare.

        Args:
            downloads: The rows.
            converter: Returns the converter of music; None if there is none.
            film_converter: Returns the converter of films; None if there is none.
            wanted: Returns the name of the format that a download should have now.
            wishes: Returns how the tags and cover of a file should be.
            completer: Completes the tags of files that are not converted.
        """
        self._groups = _Groups()
        self._completer = completer
        self._wishes = wishes
        self._downloads = downloads
        self._converter = converter
        self._film_converter = film_converter
        self._wanted = wanted

    def fresh(self, download: Download) -> Download:
        """Return the download with the format that is set now, not the one at queueing time."""
        wanted = self._wanted(download)
        return download if wanted == download.format else replace(download, format=wanted)

    def target(self, download: Download) -> AnyTarget | None:
        """Return what a download is converted to; None for the original."""
        return read_any_target(download.format)

    def as_fetched(
        self, device: AttachedDevice, download: Download, receipt: Receipt, stop: Event
    ) -> FinishedPart:
        """Prepare a fetched file that is not converted; its tags may be completed.

        Raises:
            TransferFailed: The device cannot be read or written.
            errors.DeviceError: The device is not there.
            errors.Stopped: `stop` was set.
        """
        return self._original(device, download, receipt, None, stop)

    def as_copied(
        self,
        device: AttachedDevice,
        download: Download,
        receipt: Receipt,
        twin: Download,
        stop: Event,
    ) -> FinishedPart:
        """Prepare a file that was copied from another device in the wanted format.

        Raises what `as_fetched` raises.
        """
        if not twin.is_converted:
            return self._original(device, download, receipt, twin.format_note, stop)
        # Recovery expects a converted file in the converted part file.
        part = device.folder.converted(download.id)
        device.folder.part(download.id).rename_to(part)
        return FinishedPart(
            part=part,
            size=receipt.size,
            content_hash=receipt.content_hash,
            mime_type=receipt.mime_type,
            extension=safe_extension(get_extension(twin.file_path)),
            columns={
                "format_note": twin.format_note,
                "source_size": twin.source_size,
                "source_hash": twin.source_hash,
            },
        )

    def convert(
        self,
        device: AttachedDevice,
        download: Download,
        receipt: Receipt,
        target: AnyTarget,
        stop: Event,
        *,
        converted: Callable[[float], object] = lambda _share: None,
    ) -> FinishedPart:
        """Convert a fetched file; prepare the original if it cannot or need not be converted.

        Args:
            device: The device.
            download: The download.
            receipt: What was fetched.
            target: What it is converted to.
            stop: Ends it when set.
            converted: Called with the share of a film that is converted, from 0 to 1.

        Raises:
            TransferFailed: The device cannot be read or written.
            errors.DeviceError: The device is not there.
            errors.Stopped: `stop` was set.
        """
        into = device.folder.converted(download.id)
        try:
            made = self._make(device, download, receipt, target, stop, converted=converted)
        except BaseException:
            into.remove()
            raise
        if isinstance(made, LeftAsIs):
            into.remove()
            log.info("%s: %s", download.title, made.why)
            return self._original(device, download, receipt, made.why, stop)
        return FinishedPart(
            part=into,
            size=made.size,
            content_hash=made.content_hash,
            mime_type=target.mime_type,
            extension=target.extension,
            columns={
                "format_note": None,
                "source_size": receipt.size,
                "source_hash": receipt.content_hash,
            },
            original_size=receipt.size if device.settings.keep_original else None,
        )

    def _make(
        self,
        device: AttachedDevice,
        download: Download,
        receipt: Receipt,
        target: AnyTarget,
        stop: Event,
        *,
        converted: Callable[[float], object],
    ) -> Converted | LeftAsIs:
        folder = device.folder
        part, into = folder.part(download.id), folder.converted(download.id)
        if isinstance(target, FilmTarget):
            film_converter = self._film_converter()
            if film_converter is not None:
                fetched = FetchedFilm(part, receipt.size, receipt.content_hash)
                segments = folder.film(download.id)
                return film_converter.convert(
                    fetched, into, segments, target, stop, converted=converted
                )
        elif (converter := self._converter()) is not None:
            wishes = self._wishes(device, download)
            return converter.convert(part, receipt.size, into, target, stop, wishes=wishes)
        why = msg("ffmpeg is not there, or lacks the encoder")
        return LeftAsIs(explain_not_converted(target, why))

    def finish(self, device: AttachedDevice, download: Download, ready: FinishedPart) -> bool:
        """Give one file its final name; return whether it is recorded as arrived.

        Raises:
            errors.DeviceError: The device cannot take the file.
            errors.Stopped: The download was paused or cancelled meanwhile.
        """
        [outcome] = self.finish_all(device, [(download, ready)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def finish_soon(
        self,
        device: AttachedDevice,
        download: Download,
        ready: FinishedPart,
        ended: Callable[[Outcome], object],
    ) -> None:
        """Finish a file now, or let the thread do it that finishes others of this device already.

        Args:
            device: The device.
            download: The download.
            ready: Its file.
            ended: Called with the outcome, perhaps in another thread and before this call returns.
        """
        self._groups.add(_Waiting(device, download, ready, ended), self.finish_all)

    def finish_all(
        self, device: AttachedDevice, files: Sequence[tuple[Download, FinishedPart]]
    ) -> Sequence[Outcome]:
        """Give files of one device their final names: two commits and one round of syncs for all.

        For each file the order is the same as for a single one. What becomes of one file changes
        nothing for the others.
        """
        try:
            device.folder.check()
        except DeviceError as trouble:
            return [trouble] * len(files)
        outcomes: list[Outcome] = [False] * len(files)
        named: dict[int, Download] = {}
        for number, (download, ready) in enumerate(files):
            with _kept_apart(number, outcomes):
                named[number] = self._named(download, ready.extension)
        marked = self._mark_finalizing(named, files, outcomes)
        places = [(files[number][1].part, one.file_path) for number, one in marked.items()]
        troubles = device.folder.finish_all(places)
        in_place: dict[int, Download] = {}
        for (number, download), why in zip(marked.items(), troubles, strict=True):
            with _kept_apart(number, outcomes):
                if why is not None:
                    raise why
                in_place[number] = self._keep_original(device, download, files[number][1])
        self._mark_arrived(device, in_place, files, outcomes)
        return outcomes

    def _mark_finalizing(
        self,
        named: Mapping[int, Download],
        files: Sequence[tuple[Download, FinishedPart]],
        outcomes: list[Outcome],
    ) -> Mapping[int, Download]:
        """Commit which part files become which files; return those that may be renamed."""
        may = self._downloads.transitions.mark_all_finalizing(
            [
                (
                    download.id,
                    files[number][1].file,
                    {
                        "format": download.format,
                        "original_size": files[number][1].original_size,
                        **files[number][1].columns,
                    },
                )
                for number, download in named.items()
            ]
        )
        for number, is_wanted in zip(named, may, strict=True):
            if not is_wanted:
                outcomes[number] = Stopped(msg("it is no longer needed"))
        return {
            number: download
            for (number, download), is_wanted in zip(named.items(), may, strict=True)
            if is_wanted
        }

    def _keep_original(
        self, device: AttachedDevice, download: Download, ready: FinishedPart
    ) -> Download:
        if ready.original_size is not None:
            try:
                device.folder.part(download.id).rename_to(device.folder.original(download.id))
            except DeviceError as trouble:
                raise NotCertain(trouble.code, str(trouble)) from trouble
        elif download.original_size is None:
            return download
        return replace(download, original_size=ready.original_size)

    def _mark_arrived(
        self,
        device: AttachedDevice,
        in_place: Mapping[int, Download],
        files: Sequence[tuple[Download, FinishedPart]],
        outcomes: list[Outcome],
    ) -> None:
        arrived = [(download, files[number][1].file) for number, download in in_place.items()]
        done = self._downloads.transitions.mark_all_arrived(arrived)
        for (number, download), is_done in zip(in_place.items(), done, strict=True):
            with _kept_apart(number, outcomes):
                outcomes[number] = is_done
                part = device.folder.part(download.id)
                if is_done and files[number][1].part.name != part.name:
                    part.remove()
                if is_done and download.item_type in FILMS:
                    device.folder.film(download.id).clear()
            if is_done:
                log.info("%s arrived on %s", download.file_path, device.settings.name)

    def _original(
        self,
        device: AttachedDevice,
        download: Download,
        receipt: Receipt,
        note: str | None,
        stop: Event,
    ) -> FinishedPart:
        as_it_is = FinishedPart(
            part=device.folder.part(download.id),
            size=receipt.size,
            content_hash=receipt.content_hash,
            mime_type=receipt.mime_type,
            extension=_of_source(download),
            columns={"format_note": note, "source_size": None, "source_hash": None},
        )
        if self._completer is None or not is_to_be_completed(device, download):
            return as_it_is
        into = device.folder.converted(download.id)
        try:
            with as_it_is.part.open() as file:
                wishes = self._wishes(device, download)
                made = self._completer.complete(file, receipt.size, into, wishes, stop)
        except OSError as error:
            into.remove()
            raise TransferFailed(classify_disk_error(error)) from error
        except BaseException:
            into.remove()
            raise
        if made is None:
            into.remove()
            return as_it_is
        return replace(
            as_it_is,
            part=into,
            size=made.size,
            content_hash=made.content_hash,
            columns={
                "format_note": note,
                "source_size": receipt.size,
                "source_hash": receipt.content_hash,
            },
        )

    def _named(self, download: Download, extension: str | None) -> Download:
        """Give the row the extension of its file, under a distinct name if that one is taken."""
        if extension is None or get_extension(download.file_path) == extension:
            return download
        wanted = with_extension(download.file_path, extension)
        for path in (wanted, build_distinct_path(wanted, download.item_id)):
            if self._downloads.queue.rename(download, FilePlace(path, make_path_key(path))):
                return replace(download, file_path=path)
        raise Stopped(msg("it is no longer needed"))


def _finish_group(group: Sequence[_Waiting], finish_all: FinishAll) -> None:
    outcomes: Sequence[Outcome]
    try:
        outcomes = finish_all(group[0].device, [(one.download, one.ready) for one in group])
    except Exception as error:  # noqa: BLE001 - of the database: each worker judges it
        outcomes = [error] * len(group)
    for one, outcome in zip(group, outcomes, strict=True):
        attempt(partial(one.ended, outcome), f"finishing {one.download.title}")


class _kept_apart:  # noqa: N801 - used like a function
    """Note an error of the block as the outcome of one file; its worker judges it.

    A class, as it is around each step of each file: see `sidecar.device.tree.open_folder`.
    """

    __slots__ = ("_number", "_outcomes")

    def __init__(self, number: int, outcomes: list[Outcome]) -> None:
        self._number = number
        self._outcomes = outcomes

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Note the error: also an unforeseen one concerns one file only."""
        if not isinstance(error, Exception):
            return False
        self._outcomes[self._number] = error
        return True


def _of_source(download: Download) -> str | None:
    """Return the extension of the source; rows of older releases may have an unsafe one."""
    extension = download.source_extension
    return None if extension is None else safe_extension(extension)
