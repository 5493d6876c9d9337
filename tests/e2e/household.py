"""A household for whole days: a library, people with players, and a clock that can skip a night."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock
from typing import Any

import requests

from sidecar.clock import Waitable
from sidecar.demo.protocol.version import Version
from tests.e2e.conftest import Person
from tests.fakes.libraries.tiny import LIBRARIES, Entry, episode, track, write
from tests.patience import PATIENCE_S

LIGHT = "Music/The Sine Waves/First Light (2019)"
STEAM = "Music/Kettle/Steam (2005)"
HITS = "Music/Choir/Greatest Hits (2001)"
TRACK_S = 40.0
TRACK_BYTES = 200_000
EPISODE_BYTES = 600_000
TICKS = 10_000_000
PARTS = 8


def write_library(folder: Path) -> Path:
    """Write three albums, a season and a playlist of ann's; nobody looks inside the files."""
    songs = [
        track(album, number, f"{name} {number}", seconds=TRACK_S)
        for album, name, count in ((LIGHT, "Light", 11), (STEAM, "Steam", 4), (HITS, "Hit", 5))
        for number in range(1, count + 1)
    ]
    episodes = [
        episode(1, number) | {"title": f"Signal {number}", "seconds": 600.0}
        for number in range(1, 5)
    ]
    by_title = {one["title"]: one["path"] for one in songs}
    listed: Entry = {
        "version": 1,
        "libraries": LIBRARIES,
        "tracks": songs,
        "films": [],
        "episodes": episodes,
        "covers": {},
        "playlists": [
            {
                "name": "Road trip",
                "owner": "ann",
                "tracks": [by_title[one] for one in ("Steam 2", "Hit 1", "Light 5")],
            }
        ],
    }
    sizes = {one["path"]: TRACK_BYTES for one in songs}
    return write(folder, listed, sizes | {one["path"]: EPISODE_BYTES for one in episodes})


class HouseClock:
    """The real time, faster, with nights that can be skipped.

    Unlike a machine that sleeps, the monotonic time skips the night as well: every timer is due
    in the morning.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._began = time.monotonic()
        self._start = datetime.now(UTC)
        self._skipped = timedelta()
        self._lock = Lock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        with self._lock:
            passed = (time.monotonic() - self._began) * self.speed
            return passed + self._skipped.total_seconds()

    def wait(self, stop: Waitable, seconds: float) -> bool:
        return stop.wait(seconds / self.speed)

    def skip(self, night: timedelta) -> None:
        with self._lock:
            self._skipped += night


@dataclass
class Player:
    """A client that reports as Jellyfin's web client does, in the house's time.

    Unlike the real one it reports eight times a track, however long that is.
    """

    person: Person
    speaks: Version
    speed: float
    entries: int = 0
    queue: list[dict[str, str]] = field(default_factory=list)
    _rest: Event = field(default_factory=Event)

    def enqueue(self, items: Sequence[str]) -> None:
        """Put these into the queue, in the place of what was there."""
        self.queue = [
            {"Id": item_id, "PlaylistItemId": f"playlistItem{self.entries + place}"}
            for place, item_id in enumerate(items)
        ]
        self.entries += len(items)

    def start(self, place: int) -> None:
        self._report("", place, 0.0, with_queue=True)
        self._report("/Progress", place, 0.25)

    def stop(self, place: int, seconds: float) -> None:
        self._report("/Stopped", place, seconds, with_queue=True)

    def hear(self, place: int, seconds: float = TRACK_S) -> None:
        """Play one entry for so long; at its natural end Stopped comes twice, as it really does."""
        self.start(place)
        for part in range(1, PARTS + 1):
            self._rest.wait(seconds / PARTS / self.speed)
            if part < PARTS:
                self._report("/Progress", place, seconds * part / PARTS)
        self.stop(place, seconds)
        if seconds >= TRACK_S:
            self.stop(place, 0.0)

    def _report(self, what: str, place: int, seconds: float, *, with_queue: bool = False) -> None:
        entry = self.queue[place]
        body: dict[str, Any] = {
            "ItemId": entry["Id"],
            "PlaylistItemId": entry["PlaylistItemId"],
            "PositionTicks": int(seconds * TICKS),
            "CanSeek": True,
            "PlayMethod": "DirectPlay",
            "RepeatMode": "RepeatNone",
            "PlaybackOrder": "Default",
        }
        if with_queue:
            body["NowPlayingQueue"] = self.queue
        answer = self.person.session.post(
            f"{self.person.url}/Sessions/Playing{what}", json=body, timeout=PATIENCE_S
        )
        answer.raise_for_status()


@dataclass
class Page:
    """What one person does on the sidecar's API."""

    url: str
    session: requests.Session
    csrf: str = ""

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        answer = self.session.get(f"{self.url}/api/v1{path}", params=query, timeout=PATIENCE_S)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def ask(self, verb: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        return self.session.request(verb, f"{self.url}/api/v1{path}", json=body, timeout=PATIENCE_S)

    def device(self, name: str) -> str:
        return next(str(one["id"]) for one in self.get("/devices")["items"] if one["name"] == name)

    def downloads(self, device_id: str) -> dict[str, dict[str, Any]]:
        found = self.get("/downloads", device=device_id, page_size="100")["items"]
        return {one["title"]: one for one in found}


@contextmanager
def page_of(url: str, name: str, password: str) -> Iterator[Page]:
    """Sign in to the sidecar with a Jellyfin name and password."""
    with requests.Session() as session:
        answer = session.post(
            f"{url}/api/v1/session",
            json={"username": name, "password": password},
            timeout=PATIENCE_S,
        )
        assert answer.status_code in {200, 201}, answer.text
        csrf = answer.json().get("csrf", "")
        session.headers["X-Sidecar-CSRF"] = csrf
        yield Page(url, session, csrf)
