"""What an engine is: one blocking call that moves the bytes of one file into one part file.

An engine never names, renames or deletes files, never touches the database and never retries:
it makes one attempt and says how it ended. Threads, claims and retries belong to the services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import BinaryIO, Protocol

from sidecar.domain.downloads.states import Validator


class PartTarget(Protocol):
    """A part file on a device, opened safely by the device's own code."""

    @property
    def path(self) -> Path:
        """Where it is: for engines that write through another program."""

    def open(self) -> BinaryIO:
        """Open it unbuffered for reading and writing; it is made if it is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One attempt at one file.

    Attributes:
        url: The file's address. Redirects are not followed.
        headers: Sent as they are; carries the only secret. Never logged.
        known_size: Bytes by the server's last scan; may be stale. None if unknown.
        validator: What the part file's bytes belong to; None means start from zero.
        held: Bytes at the start of the part file that are known to be right.
        accepted: What a person has accepted as it is, whatever the scan says; None if nothing.
        device_id: Where the file goes: its speed limit holds.
    """

    download_id: int
    url: str
    headers: Mapping[str, str]
    part: PartTarget
    known_size: int | None
    validator: Validator | None
    held: int
    accepted: Validator | None = None
    device_id: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A whole file, synced in its part file.

    Attributes:
        size: Bytes.
        content_hash: xxh3-128 as 32 hex digits.
        mime_type: As the server named it, without parameters; None if it did not.
        fetched: Body bytes that this attempt received, those that were only compared included.
        is_unlike_scan: The server's last scan says another length: that all answers agree does
            not prove it whole.
    """

    size: int
    content_hash: str
    mime_type: str | None
    fetched: int
    is_unlike_scan: bool = False


class TransferReport(Protocol):
    """What an engine tells while it works. Called from the engine's own thread."""

    def opened(self, validator: Validator, *, held: int) -> None:
        """Commit the validator, and that only `held` bytes of the part count.

        Called before the first body byte is written.
        """

    def synced(self, held: int) -> None:
        """Commit that `held` bytes of the part are on the disk: at least each 8 MiB."""

    def moved(self, held: int) -> None:
        """Note `held` bytes for the progress display: cheap, called for each block."""


class Engine(Protocol):
    """Moves one file."""

    def fetch(self, job: Job, report: TransferReport, stop: Event) -> Receipt:
        """Make one attempt.

        Raises:
            domain.failures.TransferFailed: The attempt failed; the failure says how to go on.
            errors.Stopped: `stop` was set; honoured within one block.
        """
