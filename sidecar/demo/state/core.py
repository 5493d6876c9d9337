"""Everything that the demo server knows and everybody it talks to, under one lock.

    library · users · devices · opinions · playlists · sessions · hub · diary

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
from sidecar.demo.library.dto import Teller
from sidecar.demo.library.items import Item, Kind, Library
from sidecar.demo.library.playlists import Playlists
from sidecar.demo.library.scan_task import ScanTask
from sidecar.demo.protocol.authorization import Claim
from sidecar.demo.protocol.formats import Json, fresh_id
from sidecar.demo.protocol.version import Version
from sidecar.demo.state.activity_log import Diary
from sidecar.demo.state.announcements import Announcer
from sidecar.demo.state.devices import Device, Devices
from sidecar.demo.state.quick_connect import QuickConnect
from sidecar.demo.state.session_dto import session_told
from sidecar.demo.state.sessions import Session, Sessions
from sidecar.demo.state.storage import Memory
from sidecar.demo.state.subscriptions import Hub, Listener
from sidecar.demo.state.timers import Timetable
from sidecar.demo.state.timing import Timing
from sidecar.demo.state.user_data import Opinions
from sidecar.demo.state.users import User, Users

log = logging.getLogger(__name__)

_KEEP_AFTER_S = 0.3
_REMEMBERED = {"policies", "devices", "opinions", "playlists"}


class Phase(Enum):
    """How far the server is with starting."""

    STARTING = "everything is 503 with Retry-After, health is degraded"
    ALMOST = "as before, but the public description is there, in camel case"
    LOADING = "503 without Retry-After for good tokens, 401 for others"
    READY = "ready"


class Core:
    """The server without its HTTP. Whoever touches it holds `lock`."""

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
        self.phase = Phase.READY
        self.random = SystemRandom()
        self._memory = Memory(state_dir)
        kept = self._memory.load()
        self.server_id = server_id or kept.get("server_id") or fresh_id()
        scanned = scan_library.scan(folder)
        self.library: Library = scanned.library
        self.users = Users(self.server_id, self.library.libraries)
        self.devices, self.opinions, self.playlists = Devices(), Opinions(), Playlists()
        self.quick_connect = QuickConnect(timing.quick_connect_s)
        self.sessions, self.diary, self.scan_task = Sessions(), Diary(), ScanTask()
        self.timetable = Timetable("demo-timetable", self.lock)
        self.hub = Hub(self.timetable, keep_alive_s=timing.keep_alive_s, speaks=speaks)
        self.news = Announcer(self.hub, self.timetable, timing, self)
        self._restore(kept, scanned)

    def start(self) -> None:
        """Start doing what is due."""
        self.timetable.start()

    def stop(self) -> None:
        """Stop it, say good-bye on the sockets, and keep what is to be kept."""
        with self.lock:
            self.hub.close()
        self.timetable.stop()
        with self.lock:
            self._keep()

    @property
    def teller(self) -> Teller:
        """Who tells the items of the latest scan."""
        return Teller(self.library, self.server_id, self.speaks)

    def changed(self) -> None:
        """Keep the state, soon."""
        self.timetable.after(_KEEP_AFTER_S, "keep", self._keep)

    def find(self, item_id: str | None) -> Item | None:
        """Return an item or a playlist by its id, whoever may see it."""
        playlist = self.playlists.by_id.get(item_id or "")
        return playlist.item() if playlist else self.library.get(item_id)

    def sees(self, user: User, item: Item) -> bool:
        """Return whether a user may know of an item."""
        if item.kind is Kind.PLAYLIST:
            return self.playlists.by_id[item.id].is_seen_by(user.id)
        if item.kind is Kind.LIBRARY:
            return user.sees_library(item.id)
        return user.sees_library(item.library_id) and not user.is_spared(item)

    def sees_id(self, user_id: str, item_id: str) -> bool:
        """Return whether a user may know of an item; who sees all may know of one that is gone."""
        user, item = self.users.by_id.get(user_id), self.find(item_id)
        if user is None:
            return False
        return self.sees(user, item) if item else bool(user.policy["EnableAllFolders"])

    def listing(self, user: User) -> list[Item]:
        """Return all items in the libraries of a user, those that a policy blocks included."""
        playlists = (one.item() for one in self.playlists.seen_by(user.id))
        items = (
            item
            for item in self.library
            if user.sees_library(item.id if item.kind is Kind.LIBRARY else item.library_id)
        )
        return [*items, *playlists]

    def opinion_told(self, user_id: str, item: Item) -> Json:
        """Return what a user did with an item, as the API tells it."""
        told = self.opinions.of(user_id, item).told(item)
        if item.kind not in {Kind.SERIES, Kind.SEASON}:
            return told
        episodes = list(self.library.songs_of(item))
        unplayed = sum(not self.opinions.of(user_id, one).played for one in episodes)
        share = 100 * (len(episodes) - unplayed) / max(1, len(episodes))
        counted: Json = {"UnplayedItemCount": unplayed}
        if share or self.speaks.tells_played_percentage_of_nothing:
            counted = {"PlayedPercentage": share or 0} | counted
        return counted | told | {"Played": unplayed == 0}

    def item_told(self, user: User, item: Item) -> Json:
        """Return all that there is to tell a user of an item."""
        told = self.teller.whole(
            item,
            user_data=self.opinion_told(user.id, item),
            may_download=user.may_download,
        )
        if item.kind is Kind.PLAYLIST:
            songs = [self.library.get(one) for one in self.playlists.by_id[item.id].item_ids]
            told["ChildCount"] = sum(one is not None for one in songs)
        return told

    def session_told(self, session: Session) -> Json:
        """Return a session as the API tells it."""
        return session_told(session, self.teller, self.users.by_id.get(session.user_id))

    def sessions_seen(self, user: User) -> list[Json]:
        """Return the sessions that a user may see."""
        seen = self.sessions.seen_by(user.id, is_administrator=user.is_administrator)
        return [self.session_told(one) for one in seen]

    def sessions_heard(self, listener: Listener) -> list[Json]:
        """Return the sessions that the user of a socket may see."""
        user = self.users.by_id.get(listener.user_id)
        return self.sessions_seen(user) if user else []

    def scan(self) -> None:
        """Look at the disk again and announce what is different."""
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

    def join(self, device: Device, claim: Claim, remote: str | None) -> Session:
        """Return the session of a request, which begins if there is none."""
        session, is_fresh = self.sessions.join(device, claim, remote)
        user = self.users.by_id.get(session.user_id)
        if is_fresh and user is not None:
            self.diary.visit(user, session, remote, has_begun=True)
            self.news.sessions_changed()
        return session

    def end(self, session: Session) -> None:
        """End a session, unless it has ended."""
        if self.sessions.get(session.id) is not session:
            return
        self.sessions.end(session.id)
        user = self.users.by_id.get(session.user_id)
        if user is not None:
            self.diary.visit(user, session, session.remote, has_begun=False)
        self.news.sessions_changed()

    def sign_out(self, token: str) -> None:
        """Make a token worthless, end the sessions of its device, hang up its sockets."""
        device = self.devices.signed_in(token)
        if device is None:
            return
        self.devices.sign_out(token)
        self.hub.hang_up(token)
        for session in self.sessions.of_device(device.device_id):
            self.end(session)
        self.changed()

    def _restore(self, kept: dict[str, Any], scanned: scan_library.Catalogue) -> None:
        if not kept.keys() >= _REMEMBERED:
            for name, owner, item_ids in scanned.playlists:
                user = self.users.named(owner)
                if user is not None:
                    self.playlists.create(name, user.id, list(item_ids))
            return
        self.users.restore(kept["policies"])
        self.devices.restore(kept["devices"])
        self.opinions.restore(kept["opinions"])
        self.playlists.restore(kept["playlists"])

    def _keep(self) -> None:
        self._memory.keep(
            {
                "server_id": self.server_id,
                "policies": self.users.saved(),
                "devices": self.devices.saved(),
                "opinions": self.opinions.saved(),
                "playlists": self.playlists.saved(),
            }
        )
