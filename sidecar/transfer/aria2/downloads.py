"""The downloads of ours that aria2 has now, and the status of each. Asks nobody; any thread."""

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
    """Knows our downloads by the ids that we gave them, all of which begin alike."""

    def __init__(self, prefix: str) -> None:
        """Begin with none.

        Args:
            prefix: Eight hex digits that tell our downloads from those of others.
        """
        self.prefix = prefix
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {}

    def enter(self, path: str) -> str | None:
        """Return an id for one more download, in aria2's form: sixteen hex digits.

        None while an earlier one may still write to the same file.
        """
        gid = f"{self.prefix}{secrets.token_hex(4)}"
        with self._lock:
            if any(one.path == path for one in self._entries.values()):
                return None
            self._entries[gid] = _Entry(path)
        return gid

    def add(self, gid: str) -> None:
        """Note that aria2 has it: from now on, one that aria2 does not know was taken out."""
        with self._lock:
            if entry := self._entries.get(gid):
                entry.is_added = True

    def list_known_to_aria2(self) -> list[str]:
        """Return those at work that aria2 can be asked about."""
        with self._lock:
            entries = self._entries.items()
            return [gid for gid, one in entries if one.is_added and not one.is_let_go]

    def let_go(self, gid: str) -> None:
        """Nobody works on it any more, but aria2 has not said that it closed the file."""
        with self._lock:
            if entry := self._entries.get(gid):
                entry.is_let_go = True

    def list_left_over(self) -> list[str]:
        """Return those that were let go and are still to be taken out of aria2."""
        with self._lock:
            return [gid for gid, one in self._entries.items() if one.is_let_go]

    def remove(self, gid: str) -> None:
        """It is no longer at work."""
        with self._lock:
            self._entries.pop(gid, None)

    def gids(self) -> list[str]:
        """Return all that are at work."""
        with self._lock:
            return [gid for gid, one in self._entries.items() if not one.is_let_go]

    def get_status(self, gid: str) -> Aria2Status:
        """Return where it stands."""
        return self._get_entry(gid).standing

    def end_event(self, gid: str) -> Event:
        """Return the event that is set once aria2 takes no more bytes for it."""
        return self._get_entry(gid).over

    def note(self, found: Mapping[str, Aria2Status]) -> None:
        """Note where some of them stand; an end is not taken back."""
        with self._lock:
            for gid, standing in found.items():
                entry = self._entries.get(gid)
                if entry is None or entry.over.is_set():
                    continue
                entry.standing = standing
                if standing.is_over:
                    entry.over.set()

    def mark_all_ended(self) -> None:
        """Note that aria2 has ended: whatever was at work is not any more."""
        self.note(dict.fromkeys(self.gids(), Aria2Status(Stage.GONE)))
        for gid in self.list_left_over():
            self.remove(gid)

    def _get_entry(self, gid: str) -> _Entry:
        with self._lock:
            return self._entries.get(gid) or _Entry(standing=Aria2Status(Stage.GONE))
