"""The interface of an engine: one blocking call that fetches one file into one part file.

An engine makes one attempt and reports how it ended. It never renames or deletes files, uses the
database or retries: threads, claims and retries belong to the services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import BinaryIO, Protocol

from sidecar.domain.downloads.download import Validator


class PartTarget(Protocol):
    """A part file on a device; implemented by `sidecar.device`, which opens it safely."""

    @property
    def path(self) -> Path:
        """Its path, for engines that write through another program."""

    def open(self) -> BinaryIO:
        """Open it unbuffered for reading and writing; create it if it does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One attempt at one file.

    Attributes:
        url: The file's address. Redirects are not followed.
        headers: Sent as they are. They contain the token and are never logged.
        known_size: Size in bytes by the server's last scan; may be stale. None if unknown.
        validator: The version that the part file's bytes belong to; None starts from zero.
        held: Bytes at the start of the part file that are known to be right.
        accepted: A version that a person has accepted although it differs from the scan; or None.
        device_id: The device that the file goes to, for its speed limit.
        is_read_again: Whether the file is read soon, so that it should stay in the memory.
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
    is_read_again: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """A whole file, synced in its part file.

    Attributes:
        size: Bytes.
        content_hash: xxh3-128 as 32 hex digits.
        mime_type: The type that the server gave, without parameters; None if it gave none.
        fetched: Body bytes that this attempt received, including those only compared.
        is_unlike_scan: The length differs from the server's last scan, so that the file is not
            certainly whole although all answers agree.
    """

    size: int
    content_hash: str
    mime_type: str | None
    fetched: int
    is_unlike_scan: bool = False


class TransferReport(Protocol):
    """Takes the progress of an attempt. Called in the thread that runs the engine."""

    def opened(self, validator: Validator, *, held: int) -> None:
        """Commit the validator, and that only `held` bytes of the part count.

        Called before the first body byte is written.
        """

    def synced(self, held: int) -> None:
        """Commit that `held` bytes of the part are on disk; called at least every 8 MiB."""

    def moved(self, held: int) -> None:
        """Note `held` bytes for the progress display; cheap, as it is called for each block."""


class Engine(Protocol):
    """Fetches files, one with each call."""

    def fetch(self, job: Job, report: TransferReport, stop: Event) -> Receipt:
        """Make one attempt.

        Raises:
            TransferFailed: The attempt failed; the failure says how to go on.
            errors.Stopped: `stop` was set; honoured within one block.
        """
