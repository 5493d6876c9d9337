"""Sends changes to the sockets, after none has happened for a while.

    a heart, a start, a stop ─ 0.5 s of silence ─▶ UserDataChanged, parents appended
    a scan, a playlist       ─ 31 s of silence  ─▶ LibraryChanged
    a session changed        ─ at once          ─▶ Sessions, to those who subscribed
    only time went by        ─ each one's period ▶ Sessions

Progress reports are not announced.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sidecar.demo.library.items import DemoItem
from sidecar.demo.protocol.formats import Json
from sidecar.demo.state.subscriptions import SocketClient, SocketRegistry
from sidecar.demo.state.timers import Scheduler
from sidecar.demo.state.timing import Timing
from sidecar.demo.state.users import DemoUser


class StateQueries(Protocol):
    """What the announcer asks of the server's state."""

    def find(self, item_id: str | None) -> DemoItem | None:
        """Return an item by its id."""

    def may_see_id(self, user_id: str, item_id: str) -> bool:
        """Whether a user may see an item, also one that was removed."""

    def user_data_dto(self, user_id: str, item: DemoItem) -> Json:
        """Return a user's data of an item."""

    def sessions_for_socket(self, listener: SocketClient) -> list[Json]:
        """Return the sessions that the user of a socket may see."""


class Announcer:
    """Collects changes and sends them when none has happened for a while."""

    def __init__(
        self, sockets: SocketRegistry, scheduler: Scheduler, timing: Timing, knows: StateQueries
    ) -> None:
        self._sockets = sockets
        self._scheduler = scheduler
        self._timing = timing
        self._knows = knows
        self._opinions: dict[str, dict[str, DemoItem]] = {}
        self._library: tuple[set[str], set[str], set[str]] = (set(), set(), set())

    def user_data_changed(self, user_id: str, items: Iterable[DemoItem]) -> None:
        """Send a user's data of changed items and their parents to their sockets, after a delay."""
        waiting = self._opinions.setdefault(user_id, {})
        for item in items:
            waiting[item.id] = item
            album_id = item.music.album_id if item.music else None
            parent = self._knows.find(album_id or item.parent_id)
            if parent is not None:
                waiting.setdefault(parent.id, parent)
        key = ("opinions", user_id)
        self._scheduler.after(
            self._timing.user_data_s, key, lambda: self._announce_user_data(user_id)
        )

    def library_changed(
        self, added: Iterable[str], updated: Iterable[str], removed: Iterable[str]
    ) -> None:
        """Send which items were added, changed and removed, after a long delay."""
        for waiting, ids in zip(self._library, (added, updated, removed), strict=True):
            waiting.update(ids)
        self._scheduler.after(self._timing.library_changed_s, "library", self._announce_library)

    def sessions_changed(self) -> None:
        """Send the sessions to all subscribers at once."""
        self._sockets.push_sessions(self._knows.sessions_for_socket, at_once=True)

    def positions_changed(self) -> None:
        """Send the playback positions to subscribers, each at its own interval."""
        self._sockets.push_sessions(self._knows.sessions_for_socket, at_once=False)

    def activity(self, users: dict[str, DemoUser]) -> None:
        """Notify administrators who subscribed to the activity log that there are new entries."""
        for listener in self._sockets.clients:
            if listener.wants_activity and users[listener.user_id].is_administrator:
                listener.send("ActivityLogEntry", [])

    def _announce_user_data(self, user_id: str) -> None:
        items = self._opinions.pop(user_id, {})
        told = [self._knows.user_data_dto(user_id, item) for item in items.values()]
        self._sockets.send_to_user(
            user_id, "UserDataChanged", {"UserId": user_id, "UserDataList": told}
        )

    def _announce_library(self) -> None:
        added, updated, removed = self._library
        self._library = (set(), set(), set())
        for user_id in {one.user_id for one in self._sockets.clients}:
            told = self._library_dto(user_id, added, updated, removed)
            if not told["IsEmpty"]:
                self._sockets.send_to_user(user_id, "LibraryChanged", told)

    def _library_dto(self, user_id: str, *changes: set[str]) -> Json:
        added, updated, removed = (
            [one for one in sorted(ids) if self._knows.may_see_id(user_id, one)] for ids in changes
        )
        folders = (item.parent_id for one in added if (item := self._knows.find(one)) is not None)
        return {
            "FoldersAddedTo": sorted({one for one in folders if one is not None}),
            "FoldersRemovedFrom": [],
            "ItemsAdded": added,
            "ItemsRemoved": removed,
            "ItemsUpdated": updated,
            "CollectionFolders": [],
            "IsEmpty": not (added or updated or removed),
        }
