"""Keeps the sidecar's downloads in aria2 and their last known status. Sends no requests."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event, Lock

from sidecar.transfer.aria2.status import Aria2Status, Stage


@dataclass(slots=True)
class _Entry:
    path: str = ""
    standing: Aria2Status = field(default_factory=lambda: Aria2Status(Stage.WAITING))
    over: Event = field(default_factory=Event)
    is_added: bool = False
    is_let_go: bool = False


class Aria2Downloads:
    """Our downloads in aria2, by their GIDs, all of which have our prefix. Thread-safe."""

    def __init__(self, prefix: str) -> None:
        """Prepare, without downloads.

        Args:
            prefix: Eight hex digits, the beginning of all our GIDs.
        """
        self.prefix = prefix
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {}

    def enter(self, path: str) -> str | None:
        """Register a download; return its new GID of sixteen hex digits.

        Returns None while an earlier download may still write to the same file.
        """
        gid = f"{self.prefix}{secrets.token_hex(4)}"
        with self._lock:
            if any(one.path == path for one in self._entries.values()):
                return None
            self._entries[gid] = _Entry(path)
        return gid

    def add(self, gid: str) -> None:
        """Note that aria2 has the download; if it does not know it later, somebody removed it."""
        with self._lock:
            if entry := self._entries.get(gid):
                entry.is_added = True

    def list_known_to_aria2(self) -> list[str]:
        """Return the GIDs of active downloads that aria2 can be asked about."""
        with self._lock:
            entries = self._entries.items()
            return [gid for gid, one in entries if one.is_added and not one.is_let_go]

    def let_go(self, gid: str) -> None:
        """Note that a download is abandoned, but aria2 may not have closed its file yet."""
        with self._lock:
            if entry := self._entries.get(gid):
                entry.is_let_go = True

    def list_left_over(self) -> list[str]:
        """Return the GIDs of abandoned downloads that are still to be removed from aria2."""
        with self._lock:
            return [gid for gid, one in self._entries.items() if one.is_let_go]

    def remove(self, gid: str) -> None:
        """Remove a download."""
        with self._lock:
            self._entries.pop(gid, None)

    def gids(self) -> list[str]:
        """Return the GIDs of all active downloads."""
        with self._lock:
            return [gid for gid, one in self._entries.items() if not one.is_let_go]

    def get_status(self, gid: str) -> Aria2Status:
        """Return the last known status of a download."""
        return self._get_entry(gid).standing

    def end_event(self, gid: str) -> Event:
        """Return the event that is set once aria2 takes no more bytes for a download."""
        return self._get_entry(gid).over

    def note(self, found: Mapping[str, Aria2Status]) -> None:
        """Store the status of some downloads; one that has ended does not change any more."""
        with self._lock:
            for gid, standing in found.items():
                entry = self._entries.get(gid)
                if entry is None or entry.over.is_set():
                    continue
                entry.standing = standing
                if standing.is_over:
                    entry.over.set()

    def mark_all_ended(self) -> None:
        """Mark all downloads as ended, because aria2 has ended."""
        self.note(dict.fromkeys(self.gids(), Aria2Status(Stage.GONE)))
        for gid in self.list_left_over():
            self.remove(gid)

    def _get_entry(self, gid: str) -> _Entry:
        with self._lock:
            return self._entries.get(gid) or _Entry(standing=Aria2Status(Stage.GONE))
