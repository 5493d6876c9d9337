"""Finishes a download: makes a whole part file the final file, in its format and with its name.

    fetched ─▶ converted, or left with a reason ─▶ extension ─▶ finalizing ─▶ rename ─▶ arrived

Before the rename the row says which of the two part files becomes the file, so that `recovery` can
finish the download after a crash at any moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event

from sidecar.device.own.parts import PartFile
from sidecar.domain.downloads.states import Download
from sidecar.domain.files.naming import (
    build_distinct_path,
    get_extension,
    make_path_key,
    safe_extension,
    with_extension,
)
from sidecar.domain.formats.formats import Target, explain_not_converted, read_target
from sidecar.domain.transfers.failures import TransferFailed
from sidecar.errors import Stopped
from sidecar.messages import msg
from sidecar.services.devices.registry import AttachedDevice
from sidecar.services.transfers.tag_completion import is_to_be_completed
from sidecar.store.downloads.queue import Downloads, FilePlace
from sidecar.transfer.converting.converter import Converts, LeftAsIs
from sidecar.transfer.engine import Receipt
from sidecar.transfer.faults import classify_disk_error
from sidecar.transfer.tagging.completer import TagCompleter
from sidecar.transfer.tagging.wishes import TagWishes

log = logging.getLogger(__name__)


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


class Finisher:
    """Converts fetched files where needed, and gives them their final names. Thread-safe."""

    def __init__(
        self,
        downloads: Downloads,
        *,
        converter: Callable[[], Converts | None] = lambda: None,
        wanted: Callable[[Download], str] = lambda download: download.format,
        wishes: Callable[[AttachedDevice, Download], TagWishes] = lambda _d, _f: TagWishes(),
        completer: TagCompleter | None = None,
    ) -> None:
        """Prepare.

        Args:
            downloads: The rows.
            converter: Returns the converter; None if there is none.
            wanted: Returns the name of the format that a download should have now.
            wishes: Returns how the tags and cover of a file should be.
            completer: Completes the tags of files that are not converted.
        """
        self._completer = completer
        self._wishes = wishes
        self._downloads = downloads
        self._converter = converter
        self._wanted = wanted

    def fresh(self, download: Download) -> Download:
        """Return the download with the format that is set now, not the one at queueing time."""
        return replace(download, format=self._wanted(download))

    def target(self, download: Download) -> Target | None:
        """Return what a download is converted to; None for the original."""
        return read_target(download.format)

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
        target: Target,
        stop: Event,
    ) -> FinishedPart:
        """Convert a fetched file; prepare the original if it cannot or need not be converted.

        Raises:
            TransferFailed: The device cannot be read or written.
            errors.DeviceError: The device is not there.
            errors.Stopped: `stop` was set.
        """
        converter = self._converter()
        if converter is None:
            why = explain_not_converted(target, msg("ffmpeg is not there, or lacks the encoder"))
            return self._original(device, download, receipt, why, stop)
        part, into = device.folder.part(download.id), device.folder.converted(download.id)
        try:
            wishes = self._wishes(device, download)
            made = converter.convert(part, receipt.size, into, target, stop, wishes=wishes)
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
            mime_type=target.codec.mime_type,
            extension=target.codec.extension,
            columns={
                "format_note": None,
                "source_size": receipt.size,
                "source_hash": receipt.content_hash,
            },
            original_size=receipt.size if device.settings.keep_original else None,
        )

    def finish(self, device: AttachedDevice, download: Download, ready: FinishedPart) -> bool:
        """Give the file its final name; return whether it is recorded as arrived.

        Raises:
            errors.DeviceError: The device cannot take the file.
            errors.Stopped: The download was paused or cancelled meanwhile.
        """
        device.folder.check()
        download = self._named(download, ready.extension)
        if not self._downloads.transitions.mark_finalizing(
            download.id,
            size=ready.size,
            content_hash=ready.content_hash,
            mime_type=ready.mime_type,
            format=download.format,
            original_size=ready.original_size,
            **ready.columns,
        ):
            raise Stopped(msg("it is no longer wanted"))
        device.folder.finish(ready.part, download.file_path)
        download = replace(download, original_size=ready.original_size)
        if ready.original_size is not None:
            device.folder.part(download.id).rename_to(device.folder.original(download.id))
        if not self._downloads.transitions.mark_arrived(
            download,
            size=ready.size,
            content_hash=ready.content_hash,
            mime_type=ready.mime_type,
        ):
            return False
        if ready.part.name != device.folder.part(download.id).name:
            device.folder.part(download.id).remove()
        log.info("%s arrived on %s", download.file_path, device.settings.name)
        return True

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
        raise Stopped(msg("it is no longer wanted"))


def _of_source(download: Download) -> str | None:
    """Return the extension of the source; rows of older releases may have an unsafe one."""
    extension = download.source_extension
    return None if extension is None else safe_extension(extension)
