"""The whole state of the demo server, under one lock.

    library · users · devices · user_data · playlists · sessions · sockets · activity_log

Small questions that need several of them are answered here; what a request does is in the
`routes_…` modules.
"""

from __future__ import annotations

import logging
from enum import Enum
from pathlib import Path
from random import SystemRandom
from threading import RLock
from typing import Any

from sidecar.demo.library import scan as scan_library
from sidecar.demo.library.dto import DtoBuilder
from sidecar.demo.library.items import BaseItemKind, DemoItem, DemoLibrary
from sidecar.demo.library.playlists import DemoPlaylists
from sidecar.demo.library.scan_task import ScanTask
from sidecar.demo.protocol.authorization import Claim
from sidecar.demo.protocol.formats import Json, new_id
from sidecar.demo.protocol.version import Version
from sidecar.demo.state.activity_log import ActivityLog
from sidecar.demo.state.announcements import Announcer
from sidecar.demo.state.devices import ClientDevice, ClientDevices
from sidecar.demo.state.quick_connect import QuickConnect
from sidecar.demo.state.session_dto import build_session_dto
from sidecar.demo.state.sessions import DemoSession, DemoSessions
from sidecar.demo.state.storage import StateFile
from sidecar.demo.state.subscriptions import SocketClient, SocketRegistry
from sidecar.demo.state.timers import Scheduler
from sidecar.demo.state.timing import Timing
from sidecar.demo.state.user_data import UserDataStore
from sidecar.demo.state.users import DemoUser, DemoUsers

log = logging.getLogger(__name__)

_KEEP_AFTER_S = 0.3
_REMEMBERED = {"policies", "devices", "opinions", "playlists"}


class StartupPhase(Enum):
    """How far the server is with starting."""

    STARTING = "everything is 503 with Retry-After, health is degraded"
    ALMOST = "as before, but the public description is there, in camel case"
    LOADING = "503 without Retry-After for good tokens, 401 for others"
    READY = "ready"


class ServerState:
    """The server's state. Callers must hold `lock`."""

    def __init__(
        self,
        folder: Path,
        *,
        speaks: Version,
        timing: Timing,
        state_dir: Path | None,
        server_id: str | None,
    ) -> None:
        self.lock = RLock()
        self.folder, self.speaks, self.timing = folder, speaks, timing
        self.phase = StartupPhase.READY
        self.random = SystemRandom()
        self._memory = StateFile(state_dir)
        kept = self._memory.load()
        self.server_id = server_id or kept.get("server_id") or new_id()
        scanned = scan_library.scan(folder)
        self.library: DemoLibrary = scanned.library
        self.users = DemoUsers(self.server_id, self.library.libraries)
        self.devices, self.user_data, self.playlists = (
            ClientDevices(),
            UserDataStore(),
            DemoPlaylists(),
        )
        self.quick_connect = QuickConnect(timing.quick_connect_s)
        self.sessions, self.activity_log, self.scan_task = (
            DemoSessions(),
            ActivityLog(),
            ScanTask(),
        )
        self.scheduler = Scheduler("demo-timetable", self.lock)
        self.sockets = SocketRegistry(
            self.scheduler, keep_alive_s=timing.keep_alive_s, speaks=speaks
        )
        self.news = Announcer(self.sockets, self.scheduler, timing, self)
        self._restore(kept, scanned)

    def start(self) -> None:
        """Start the scheduler."""
        self.scheduler.start()

    def stop(self) -> None:
        """Stop the scheduler, close the sockets, and save the state."""
        with self.lock:
            self.sockets.close()
        self.scheduler.stop()
        with self.lock:
            self._save()

    @property
    def dto_builder(self) -> DtoBuilder:
        """The DTO builder for the items of the latest scan."""
        return DtoBuilder(self.library, self.server_id, self.speaks)

    def save_soon(self) -> None:
        """Save the state after a short delay."""
        self.scheduler.after(_KEEP_AFTER_S, "keep", self._save)

    def find(self, item_id: str | None) -> DemoItem | None:
        """Return an item or a playlist by its id, without a check of rights."""
        playlist = self.playlists.by_id.get(item_id or "")
        return playlist.to_item() if playlist else self.library.get(item_id)

    def may_see(self, user: DemoUser, item: DemoItem) -> bool:
        """Whether a user may see an item."""
        if item.kind is BaseItemKind.PLAYLIST:
            return self.playlists.by_id[item.id].is_visible_to(user.id)
        if item.kind is BaseItemKind.LIBRARY:
            return user.may_see_library(item.id)
        return user.may_see_library(item.library_id) and not user.is_blocked(item)

    def may_see_id(self, user_id: str, item_id: str) -> bool:
        """Whether a user may see an item; who sees all may also see a removed one."""
        user, item = self.users.by_id.get(user_id), self.find(item_id)
        if user is None:
            return False
        return self.may_see(user, item) if item else bool(user.policy["EnableAllFolders"])

    def listing(self, user: DemoUser, *, everywhere: bool = False) -> list[DemoItem]:
        """Return all items in the libraries of a user, those that a policy blocks included.

        Args:
            user: Whose libraries.
            everywhere: In all libraries, the user's or not.
        """
        playlists = (one.to_item() for one in self.playlists.visible_to(user.id))
        items = (
            item
            for item in self.library
            if everywhere
            or user.may_see_library(
                item.id if item.kind is BaseItemKind.LIBRARY else item.library_id
            )
        )
        return [*items, *playlists]

    def user_data_dto(self, user_id: str, item: DemoItem) -> Json:
        """Return a user's data of an item as the API's JSON."""
        told = self.user_data.get(user_id, item).to_dto(item)
        if item.kind not in {BaseItemKind.SERIES, BaseItemKind.SEASON}:
            return told
        episodes = list(self.library.songs_of(item))
        unplayed = sum(not self.user_data.get(user_id, one).played for one in episodes)
        share = 100 * (len(episodes) - unplayed) / max(1, len(episodes))
        counted: Json = {"UnplayedItemCount": unplayed}
        if share or self.speaks.tells_played_percentage_of_nothing:
            counted = {"PlayedPercentage": share or 0} | counted
        return counted | told | {"Played": unplayed == 0}

    def item_dto(self, user: DemoUser, item: DemoItem) -> Json:
        """Return an item as the API's JSON, with a user's data."""
        told = self.dto_builder.full_item(
            item,
            user_data=self.user_data_dto(user.id, item),
            may_download=user.may_download,
        )
        if item.kind is BaseItemKind.PLAYLIST:
            songs = [self.library.get(one) for one in self.playlists.by_id[item.id].item_ids]
            told["ChildCount"] = sum(one is not None for one in songs)
        return told

    def session_dto(self, session: DemoSession) -> Json:
        """Return a session as the API's JSON."""
        return build_session_dto(session, self.dto_builder, self.users.by_id.get(session.user_id))

    def visible_sessions(self, user: DemoUser) -> list[Json]:
        """Return the sessions that a user may see."""
        seen = self.sessions.visible_to(user.id, is_administrator=user.is_administrator)
        return [self.session_dto(one) for one in seen]

    def sessions_for_socket(self, listener: SocketClient) -> list[Json]:
        """Return the sessions that the user of a socket may see."""
        user = self.users.by_id.get(listener.user_id)
        return self.visible_sessions(user) if user else []

    def scan(self) -> None:
        """Scan the folder again and announce the differences."""
        self.scan_task.begin()
        try:
            found = scan_library.scan(self.folder, self.library).library
        except (OSError, ValueError, LookupError) as problem:
            log.warning("the demo's library could not be scanned: %s", problem)
            self.scan_task.end("Failed")
            return
        differences = scan_library.differences(self.library, found)
        self.library = found
        self.scan_task.end("Completed")
        self.news.library_changed(*([one.id for one in items] for items in differences))

    def join(self, device: ClientDevice, claim: Claim, remote: str | None) -> DemoSession:
        """Return the session of a request; it is created if there is none.

        Those who watch the sessions are not told of the beginning, only of what follows.
        """
        session, is_fresh = self.sessions.join(device, claim, remote)
        user = self.users.by_id.get(session.user_id)
        if is_fresh and user is not None:
            self.activity_log.visit(user, session, remote, has_begun=True)
        return session

    def end(self, session: DemoSession) -> None:
        """End a session, unless it has ended."""
        if self.sessions.get(session.id) is not session:
            return
        self.sessions.end(session.id)
        user = self.users.by_id.get(session.user_id)
        if user is not None:
            self.activity_log.visit(user, session, session.remote, has_begun=False)
        self.news.sessions_changed()

    def sign_out(self, token: str) -> None:
        """Revoke a token, end the sessions of its device, and close its sockets."""
        device = self.devices.find(token)
        if device is None:
            return
        self.devices.sign_out(token)
        self.sockets.close_token(token)
        for session in self.sessions.of_device(device.device_id):
            self.end(session)
        self.save_soon()

    def _restore(self, kept: dict[str, Any], scanned: scan_library.ScannedLibrary) -> None:
        if not kept.keys() >= _REMEMBERED:
            for name, owner, item_ids in scanned.playlists:
                user = self.users.find(owner)
                if user is not None:
                    self.playlists.create(name, user.id, list(item_ids))
            return
        self.users.restore(kept["policies"])
        self.devices.restore(kept["devices"])
        self.user_data.restore(kept["opinions"])
        self.playlists.restore(kept["playlists"])

    def _save(self) -> None:
        self._memory.save(
            {
                "server_id": self.server_id,
                "policies": self.users.to_json(),
                "devices": self.devices.to_json(),
                "opinions": self.user_data.to_json(),
                "playlists": self.playlists.to_json(),
            }
        )
