"""Open questions about missing or changed files, at most one per device, kept in memory."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import xxhash

from sidecar.domain.files.removals import FileChange, PendingChange
from sidecar.events import Bus, DeviceChanged, NoticesChanged
from sidecar.messages import counted, listed, msg

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LostFiles:
    """What people are asked about: many files of one device are missing or changed.

    Attributes:
        gone, edited: The downloads whose files are missing, and those whose files were changed.
        total: How many files should be there.
    """

    gone: tuple[int, ...]
    edited: tuple[int, ...]
    total: int

    @property
    def ids(self) -> list[int]:
        """All these downloads."""
        return sorted((*self.gone, *self.edited))

    @property
    def version(self) -> str:
        """What tells this question from one about other files."""
        return xxhash.xxh3_64_hexdigest(json.dumps([self.gone, self.edited]).encode())

    def text(self, name: str) -> str:
        """Return the question for people; `name` is that of the device."""
        gone, edited = len(self.gone), len(self.edited)
        what = [
            text
            for count, text in (
                (gone, counted("{count} is missing", "{count} are missing", gone)),
                (edited, counted("{count} was changed", "{count} were changed", edited)),
            )
            if count
        ]
        return msg(
            "Of {total} files on {name}, {what}. Did you delete them? Then they "
            "won't be downloaded automatically again; otherwise they are downloaded "
            "again. Nothing happens until somebody answers",
            total=self.total,
            name=name,
            what=listed(what),
        )


@dataclass(frozen=True, slots=True)
class Question:
    """An open question, with what it takes to carry out the answer.

    Attributes:
        files: What was found in place of each file, by download id.
        total: How many files should be there.
    """

    files: Mapping[int, PendingChange]
    total: int

    @property
    def lost(self) -> LostFiles:
        """What people are asked about."""
        fates: dict[FileChange, list[int]] = {one: [] for one in FileChange}
        for download_id, found in self.files.items():
            fates[found.fate].append(download_id)
        return LostFiles(tuple(fates[FileChange.GONE]), tuple(fates[FileChange.EDITED]), self.total)


class Questions:
    """All open questions, by device. Thread-safe."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._lock = Lock()
        self._open: dict[str, Question] = {}

    def of(self, device_id: str) -> Question | None:
        """Return the open question about a device."""
        with self._lock:
            return self._open.get(device_id)

    def ask(self, device_id: str, name: str, question: Question) -> None:
        """Set the open question about a device; publish it if it changed."""
        with self._lock:
            before, self._open[device_id] = self._open.get(device_id), question
        if question != before:
            log.warning("%s", question.lost.text(name))
            self._tell(device_id)

    def close(self, device_id: str) -> None:
        """Close the question about a device: it was answered, or its reason is gone."""
        with self._lock:
            before = self._open.pop(device_id, None)
        if before is not None:
            self._tell(device_id)

    def _tell(self, device_id: str) -> None:
        self._bus.publish(NoticesChanged())
        self._bus.publish(DeviceChanged(device_id))
