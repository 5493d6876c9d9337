"""Sends events to open pages over the live connection. It takes no commands.

    Bus (any thread) ──▶ queue ──▶ one thread ──▶ an audience's room ──▶ its pages

On joining, a page gets a numbered `snapshot`; every later message to its audience has the next
number, so a page that misses one knows that it must load its state again. Only this thread sends.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import nullcontext
from hashlib import blake2b
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Lock, Thread
from typing import Generic, TypeVar

from sidecar.clock import Clock
from sidecar.events import (
    AccountChanged,
    Bus,
    DeviceChanged,
    DownloadChanged,
    Event,
    NoticesChanged,
    OrdersArrived,
    Progress,
    TransfersProgressed,
    WorkArrived,
)
from sidecar.process.threads import do_nothing, run_periodically
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.views import DownloadQuery
from sidecar.web.api.schemas.base import Json, to_json
from sidecar.web.api.schemas.devices import Device
from sidecar.web.api.schemas.downloads import Download, RunningTransfers, counts
from sidecar.web.api.schemas.notices import Notice
from sidecar.web.live.audiences import (
    NAMES,
    Around,
    Audience,
    Audiences,
    News,
    SessionEnded,
    SocketClosed,
    SocketOpened,
    Wire,
)
from sidecar.web.pages.downloads.view import STATUSES, Tab
from sidecar.web.security import auth
from sidecar.web.security.auth import Identity
from sidecar.web.services import WebServices

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 0.5
SNAPSHOT_EVERY_S = 2.0
# Sessions time out, keys expire, and the command line revokes them, all without an event.
LOOK_AT_SESSIONS_EVERY_S = 0.5
REST_S = 30.0
LONGEST_BACKLOG = 30
SNAPSHOT_SIZE = 100
STOP_WITHIN_S = 1.0


T = TypeVar("T")


class Throttle(Generic[T]):
    """Limits a stream of values to the latest one per interval. Times are monotonic seconds."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._not_before = float("-inf")
        self._latest: list[T] = []

    def put(self, value: T) -> None:
        """Set the value; replaces an earlier one that was not taken."""
        self._latest = [value]

    def due_in(self, now: float) -> float | None:
        """Return the seconds until a value can be taken; None if there is none."""
        return max(0.0, self._not_before - now) if self._latest else None

    def take(self, now: float) -> T | None:
        """Remove and return the value; None if there is none or it is too early."""
        if not self._latest or now < self._not_before:
            return None
        self._not_before = now + self._interval_s
        return self._latest.pop()


class Version:
    """Names the state that pages show; another name whenever news were published since."""

    def __init__(self) -> None:
        # Another run knows nothing of the news of this one, and nobody learns how many there were.
        self._key = secrets.token_bytes(16)
        self._lock = Lock()
        self._number = 0

    def step(self) -> None:
        """Take another name; call it after the change is committed."""
        with self._lock:
            self._number += 1

    def name(self) -> str:
        """Return the name; what is read after that is at least as new."""
        return blake2b(str(self._number).encode(), digest_size=8, key=self._key).hexdigest()


class NewsPublisher:
    """Sends snapshots and changes to open pages. `start` and `stop` once each."""

    def __init__(self, services: WebServices, bus: Bus, clock: Clock, wire: Wire) -> None:
        self._sign_in = services.sign_in
        self._downloads = services.downloads
        self._devices = services.devices
        self._notice_board = services.notices
        self._bus = bus
        self._clock = clock
        self._wire = wire
        self._news: SimpleQueue[News] = SimpleQueue()
        self._version = Version()
        self._stop = Flag()
        self._thread: Thread | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._audiences = Audiences()
        self._viewers: dict[int, frozenset[str]] = {}
        self._progress: Throttle[None] = Throttle(PROGRESS_EVERY_S)
        self._snapshots: Throttle[None] = Throttle(SNAPSHOT_EVERY_S)
        self._sessions_seen_at = clock.monotonic()

    def start(self, around: Around = nullcontext) -> None:
        """Subscribe to the bus and start the thread.

        Args:
            around: A context that threads enter for their work, to release their own resources.
        """
        self._wire.begin(around)
        self._unsubscribe = self._bus.subscribe(self._listen)
        self._thread = Thread(target=self._run, args=(around,), name="live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and end the thread."""
        self._unsubscribe()
        self._stop.set()
        self._news.put(None)
        self._wire.end()
        if self._thread is not None:
            self._thread.join(STOP_WITHIN_S)

    def version(self) -> str:
        """Return the name of what a page shows that is read from now on, for any thread.

        A page that hears the same name in a snapshot needs nothing again.
        """
        return self._version.name()

    def came(self, sid: str, asker: Identity) -> None:
        """Add a socket that has connected; returns at once, for any thread."""
        self._news.put(SocketOpened(sid, asker))

    def left(self, sid: str) -> None:
        """Remove a socket that was closed; returns at once, for any thread."""
        self._news.put(SocketClosed(sid))

    def end_session(self, secret: str) -> None:
        """Close all sockets of a session; returns at once, for any thread."""
        self._news.put(SessionEnded(secret))

    def step(self, wait_s: float) -> None:
        """Handle one event, waiting for it at most so many seconds, and send what is due."""
        try:
            news = self._news.get(timeout=wait_s) if wait_s > 0 else self._news.get_nowait()
        except Empty:
            pass
        else:
            self._hear(news)
        self._say_what_is_due()

    def rest_s(self) -> float:
        """Return the seconds until something is due, unless an event comes."""
        now = self._clock.monotonic()
        look = LOOK_AT_SESSIONS_EVERY_S if self._audiences.sockets() else REST_S
        waits = [self._progress.due_in(now), self._snapshots.due_in(now), look]
        return min(one for one in waits if one is not None)

    def _listen(self, event: Event) -> None:
        if not isinstance(event, TransfersProgressed | WorkArrived | OrdersArrived):
            self._version.step()
        self._news.put(event)

    # -- the thread

    def _run(self, around: Around) -> None:
        with around():
            run_periodically(
                lambda: self.step(self.rest_s()),
                self._stop,
                do_nothing,
                "telling open pages",
                # What was to be told is lost, and in the next snapshot.
                on_failure=lambda: self._snapshots.put(None),
            )

    def _hear(self, news: News) -> None:
        match news:
            case SocketOpened(sid, asker):
                self._welcome(sid, asker)
            case SocketClosed(sid):
                self._audiences.remove(sid)
            case SessionEnded(secret):
                self._close_session(secret)
            case AccountChanged():
                self._look_at_sessions()
            case WorkArrived() | OrdersArrived() | None:
                pass
            case _:
                self._hear_of_work(news)

    def _hear_of_work(self, news: Event) -> None:
        match news:
            case DownloadChanged() if self._news.qsize() < LONGEST_BACKLOG:
                self._tell_of_download(news)
            case TransfersProgressed():
                self._progress.put(None)
            case DeviceChanged(device_id):
                self._tell_of_device(device_id)
            case NoticesChanged():
                for audience in self._audiences:
                    self._tell(audience, "notice", self._notices(audience))
            case _:
                # Too many to send one by one, or it is unknown whom it concerns.
                self._viewers.clear()
                self._snapshots.put(None)

    def _say_what_is_due(self) -> None:
        now = self._clock.monotonic()
        if self._progress.due_in(now) == 0:
            self._progress.take(now)
            self._tell_of_progress(tuple(self._downloads.progress()))
        if self._snapshots.due_in(now) == 0:
            self._snapshots.take(now)
            for audience in self._audiences:
                self._tell_whole_truth(audience)
        if now - self._sessions_seen_at >= LOOK_AT_SESSIONS_EVERY_S:
            self._look_at_sessions()

    # -- sockets and sessions

    def _welcome(self, sid: str, asker: Identity) -> None:
        # The session may have ended between the handshake and now.
        is_current = auth.look_again(self._sign_in, asker).person == asker.person
        audience = self._audiences.add(sid, asker) if is_current else None
        if audience is None:
            self._wire.close(sid)
            return
        self._wire.join(sid, audience.room)
        # After joining: what is published from now on is told.
        version = self.version()
        snapshot = self._snapshot(audience)
        # Its other pages have not heard this.
        audience.last_snapshot = snapshot if audience.sids == {sid} else None
        told = {"seq": audience.sequence, "version": version, **snapshot}
        self._wire.send(sid, "snapshot", told)

    def _close_session(self, secret: str) -> None:
        for sid, asker in self._audiences.sockets():
            if asker.credential == secret:
                self._close(sid)

    def _look_at_sessions(self) -> None:
        self._sessions_seen_at = self._clock.monotonic()
        seen: dict[str | None, Person | None] = {}
        for sid, asker in self._audiences.sockets():
            if asker.credential not in seen:
                seen[asker.credential] = auth.look_again(self._sign_in, asker).person
            now = seen[asker.credential]
            if now is None or now != asker.person:
                self._close(sid)

    def _close(self, sid: str) -> None:
        self._audiences.remove(sid)
        self._wire.close(sid)

    # -- messages

    def _tell(self, audience: Audience, event: str, payload: Json) -> None:
        """Send a numbered message to an audience; all but the first snapshot are sent here."""
        audience.sequence += 1
        # What its pages show is another thing than the last snapshot.
        audience.last_snapshot = None
        self._wire.send(audience.room, event, {"seq": audience.sequence, **payload})

    def _tell_of_download(self, change: DownloadChanged) -> None:
        self._viewers.clear()
        found = change.download
        viewers = {found.user_id} if change.now is None else set(self._downloads.viewers(found.id))
        for audience in self._audiences:
            if audience.person.is_admin or audience.person.user_id in viewers:
                there = self._downloads.some(audience.person, [found.id])
                told = to_json(Download, there[0]) if there else None
                self._tell(audience, NAMES[change.now], {"id": found.id, "download": told})
        if change.now is None:
            # The row is deleted: who else could see it is unknown, so all get a snapshot.
            self._snapshots.put(None)

    def _tell_of_progress(self, transfers: tuple[Progress, ...]) -> None:
        for audience in self._audiences:
            seen = self._seen(audience, transfers)
            if seen or audience.heard_progress:
                audience.heard_progress = bool(seen)
                self._tell(audience, "download:progress", _running(seen))

    def _tell_of_device(self, device_id: str) -> None:
        for audience in self._audiences:
            for one in self._devices.devices(audience.person):
                if one.id == device_id:
                    self._tell(audience, "device", {"device": to_json(Device, one)})

    def _tell_whole_truth(self, audience: Audience) -> None:
        version, snapshot = self.version(), self._snapshot(audience)
        if snapshot != audience.last_snapshot:
            self._tell(audience, "snapshot", {"version": version, **snapshot})
            audience.last_snapshot = snapshot

    def _snapshot(self, audience: Audience) -> Json:
        person = audience.person
        unfinished = STATUSES[Tab.ACTIVE] | STATUSES[Tab.FAILED]
        active = DownloadQuery(statuses=unfinished, page_size=SNAPSHOT_SIZE)
        return {
            "counts": counts(self._downloads.counts(person)),
            "downloads": to_json(list[Download], self._downloads.downloads(person, active).items),
            "devices": to_json(list[Device], self._devices.devices(person)),
            **_running(self._seen(audience, tuple(self._downloads.progress()))),
            **self._notices(audience),
        }

    def _notices(self, audience: Audience) -> Json:
        return {"notices": to_json(list[Notice], self._notice_board.notices(audience.person))}

    def _seen(self, audience: Audience, transfers: tuple[Progress, ...]) -> list[Progress]:
        if audience.person.is_admin:
            return list(transfers)
        mine = audience.person.user_id
        return [one for one in transfers if mine in self._who_sees(one.download_id)]

    def _who_sees(self, download_id: int) -> frozenset[str]:
        if download_id not in self._viewers:
            self._viewers[download_id] = frozenset(self._downloads.viewers(download_id))
        return self._viewers[download_id]


def _running(seen: list[Progress]) -> Json:
    told: Json = to_json(RunningTransfers, {"transfers": seen})
    return told
