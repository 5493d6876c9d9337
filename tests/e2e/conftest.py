"""The whole product: the demo Jellyfin, and the sidecar as a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from sidecar.cli.opening import open_database
from sidecar.clock import SystemClock
from sidecar.config import load
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.timing import Timing
from sidecar.demo.state.users import ACCOUNTS
from sidecar.events import Bus
from sidecar.store.stores import Stores
from tests.e2e.forking import FORKER, Forked
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S

MIB = 1024 * 1024
# What is started where the start itself is looked at.
PYTHON = (sys.executable, "-m", "sidecar")
PASSWORDS = {one.name: one.password for one in ACCOUNTS}
TRACKS = {
    "Tone 1": 300_000,
    "Tone 2": 2 * MIB + 1,
    "What?": 1,
    "Long Noise": 40 * MIB,
}


def write_library(folder: Path, of: Mapping[str, int] = TRACKS) -> None:
    """Media for tests: random bytes, since nobody listens."""
    chance = random.Random(7)
    tracks = []
    for number, (title, size) in enumerate(of.items(), 1):
        path = f"Music/The Sine Waves/First Light (2019)/{number:02d} - {number}.flac"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(chance.randbytes(size))
        os.utime(folder / path, (1_700_000_000, 1_700_000_000))
        tracks.append(
            {
                "path": path,
                "title": title,
                "artists": ["The Sine Waves"],
                "album": "First Light",
                "album_artists": ["The Sine Waves"],
                "track": number,
                "disc": 1,
                "year": 2019,
                "genres": ["Test"],
                "seconds": 30.0,
                "codec": "flac",
                "bitrate": 800_000,
                "sample_rate": 44100,
                "channels": 2,
                "bit_depth": 16,
                "lyrics": None,
            }
        )
    libraries = [{"name": "Music", "collection_type": "music", "path": "Music"}]
    listing = {
        "version": 1,
        "libraries": libraries,
        "tracks": tracks,
        "films": [],
        "episodes": [],
        "covers": {},
        "playlists": [],
    }
    (folder / "library.json").write_text(json.dumps(listing))


@dataclass
class Person:
    """Somebody with a Jellyfin client of their own."""

    url: str
    name: str
    token: str = ""
    user_id: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def sign_in(self) -> Person:
        header = (
            f'MediaBrowser Client="Test", Device="Phone", DeviceId="phone-{self.name}", Version="1"'
        )
        answer = self.session.post(
            f"{self.url}/Users/AuthenticateByName",
            headers={"Authorization": header},
            json={"Username": self.name, "Pw": PASSWORDS[self.name]},
            timeout=PATIENCE_S,
        ).json()
        self.token, self.user_id = answer["AccessToken"], answer["User"]["Id"]
        self.session.headers["Authorization"] = f'{header}, Token="{self.token}"'
        return self

    def tracks(self) -> dict[str, str]:
        query = {"recursive": "true", "includeItemTypes": "Audio", "userId": self.user_id}
        found = self.session.get(f"{self.url}/Items", params=query, timeout=PATIENCE_S).json()
        return {one["Name"]: one["Id"] for one in found["Items"]}

    def item(self, name: str, kind: str) -> str:
        query = {"recursive": "true", "includeItemTypes": kind, "userId": self.user_id}
        found = self.session.get(f"{self.url}/Items", params=query, timeout=PATIENCE_S).json()
        return next(str(one["Id"]) for one in found["Items"] if one["Name"] == name)

    def heart(self, item_id: str, *, on: bool = True) -> None:
        ask = self.session.post if on else self.session.delete
        ask(f"{self.url}/UserFavoriteItems/{item_id}", timeout=PATIENCE_S).raise_for_status()

    def has_heart(self, item_id: str) -> bool:
        answer = self.session.get(f"{self.url}/Items/{item_id}", timeout=PATIENCE_S).json()
        return bool(answer["UserData"]["IsFavorite"])

    def report(self, what: str, item_id: str, seconds: float) -> None:
        body: dict[str, Any] = {
            "ItemId": item_id,
            "PositionTicks": int(seconds * 10_000_000),
            "CanSeek": True,
        }
        path = f"{self.url}/Sessions/Playing{what}"
        self.session.post(path, json=body, timeout=PATIENCE_S).raise_for_status()

    def watch(self, name: str) -> None:
        """Mark an episode as seen."""
        answer = self.session.post(
            f"{self.url}/UserPlayedItems/{self.item(name, 'Episode')}", timeout=PATIENCE_S
        )
        answer.raise_for_status()

    def cast(self, device: str, item_ids: list[str]) -> bool:
        """Play these on a device of the cast menu; return whether it is in the menu."""
        query = {"controllableByUserId": self.user_id}
        sessions = self.session.get(f"{self.url}/Sessions", params=query, timeout=PATIENCE_S).json()
        found = [one["Id"] for one in sessions if one["DeviceName"] == device]
        for one in found:
            order = {"playCommand": "PlayNow", "itemIds": ",".join(item_ids)}
            answer = self.session.post(
                f"{self.url}/Sessions/{one}/Playing", params=order, timeout=PATIENCE_S
            )
            answer.raise_for_status()
        return bool(found)

    def bytes_of(self, item_id: str) -> bytes:
        return self.session.get(f"{self.url}/Items/{item_id}/File", timeout=PATIENCE_S).content


@dataclass
class Sidecar:
    """The sidecar as a process, and its page.

    Attributes:
        program: What is started; if it is empty, a process is forked that has imported everything.
    """

    environ: dict[str, str]
    log: Path
    stick: Path
    program: Sequence[str] = ()
    process: subprocess.Popen[bytes] | Forked | None = None
    url: str = ""
    key: str = ""

    def start(self) -> Sidecar:
        self.begin()
        return self.wait_until_begun()

    def begin(self, *more: str, command: str = "run") -> None:
        with self.log.open("ab") as log:
            words = [command, *more]
            self.process = (
                subprocess.Popen(
                    [*self.program, *words], env=self.environ, stdout=subprocess.PIPE, stderr=log
                )
                if self.program
                else FORKER.start(words, self.environ, log)
            )

    def wait_until_begun(self) -> Sidecar:
        assert self.process is not None
        assert self.process.stdout is not None
        for line in iter(self.process.stdout.readline, b""):
            if line.startswith(b"Jellyfin Sidecar: "):
                self.url = line.decode().split()[-1]
                break
        assert self.url, self.log.read_text()
        wait_until(lambda: self.health() == 200, what="a healthy sidecar")
        return self

    def health(self) -> int:
        try:
            return requests.get(f"{self.url}/health", timeout=PATIENCE_S).status_code
        except requests.ConnectionError:
            return 0

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        if not self.program:
            return FORKER.run(arguments, self.environ, timeout=PATIENCE_S)
        return subprocess.run(
            [*self.program, *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def get_key(self, name: str) -> None:
        """Make an API key as the command does, without the time that a process takes to start."""
        clock = SystemClock()
        with open_database(load(self.environ), clock) as db:
            store = Stores(db, Bus(), clock)
            account = store.accounts.by_name(name)
            assert account is not None, self.log.read_text()
            _, self.key = store.api_keys.create(account.user_id, "test")

    def wait_for_sign_in(self, name: str) -> None:
        """Wait until the sidecar has signed in by itself, with the password in its settings."""
        wait_until(lambda: f"{name} signed in" in self.log.read_text(), what="the sign-in")

    def downloads(self, **query: str) -> list[dict[str, Any]]:
        answer = requests.get(
            f"{self.url}/api/v1/downloads",
            params={"page_size": "100", **query},
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=PATIENCE_S,
        )
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def by_title(self, title: str) -> dict[str, Any] | None:
        return next((one for one in self.downloads() if one["title"] == title), None)

    def wait_for(self, title: str, status: str, *, within_s: float = PATIENCE_S) -> dict[str, Any]:
        def there() -> bool:
            one = self.by_title(title)
            return one is not None and one["status"] == status

        wait_until(there, within_s=within_s, what=f"{title} {status}")
        found = self.by_title(title)
        assert found is not None
        return found

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self._close()

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        # Ten seconds are its own limit: then it ends with another code.
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"it did not stop; the end of its log:\n{self.log.read_text()[-20_000:]}")
        self._close()
        return code

    def _close(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="session", autouse=True)
def _forker() -> Iterator[None]:
    yield
    FORKER.close()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    write_library(folder)
    return folder


@pytest.fixture
def jellyfin(library: Path) -> Iterator[DemoServer]:
    with DemoServer(library, speaks=Version.V12_0, timing=Timing(user_data_s=0.2)) as server:
        yield server


@pytest.fixture
def line(jellyfin: DemoServer) -> Iterator[SlowLine]:
    with SlowLine(int(jellyfin.url.rpartition(":")[2])) as between:
        yield between


@pytest.fixture
def ann(jellyfin: DemoServer) -> Iterator[Person]:
    person = Person(jellyfin.url, "ann").sign_in()
    yield person
    person.session.close()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def sidecar(line: SlowLine, tmp_path: Path, stick: Path) -> Iterator[Sidecar]:
    devices = [{"name": "Car stick", "path": str(stick), "reserve": "1 MB"}]
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SIDECAR_JELLYFIN__URL": f"http://127.0.0.1:{line.port}",
        "SIDECAR_JELLYFIN__USERNAME": "ann",
        "SIDECAR_JELLYFIN__PASSWORD": PASSWORDS["ann"],
        "SIDECAR_SERVER__PORT": "0",
        "SIDECAR_SERVER__DATA_DIR": str(tmp_path / "data"),
        "SIDECAR_DEVICES": json.dumps(devices),
        "SIDECAR_LOG__LEVEL": "DEBUG",
        "PYTHONWARNINGS": "default",
    }
    one = Sidecar(environ, tmp_path / "log", stick)
    yield one
    if one.process is not None and one.process.poll() is None:
        one.stop()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def running(sidecar: Sidecar, ann: Person) -> Sidecar:
    sidecar.start()
    sidecar.wait_for_sign_in("ann")
    sidecar.get_key("ann")
    wait_until(lambda: "has 0 favourites" in sidecar.log.read_text(), what="the first look")
    return sidecar


@pytest.fixture
def house(sidecar: Sidecar, ann: Person) -> dict[str, str]:
    """A sidecar with something on every page, and what stands for the names in braces."""
    devices = json.loads(sidecar.environ["SIDECAR_DEVICES"])
    other = sidecar.stick.parent / "Player"
    other.mkdir()
    # Ann manages both, also once the admin has signed in.
    devices = [one | {"managers": ["ann"]} for one in (*devices, {"name": "A", "path": str(other)})]
    sidecar.environ["SIDECAR_DEVICES"] = json.dumps(devices)
    sidecar.start()
    sidecar.wait_for_sign_in("ann")
    sidecar.get_key("ann")
    tracks = ann.tracks()
    for title in ("Tone 1", "Tone 2"):
        ann.heart(tracks[title])
    ann.report("", tracks["What?"], 3.0)
    for title in ("Tone 1", "Tone 2"):
        sidecar.wait_for(title, "completed")
    return {
        "album": ann.item("First Light", "MusicAlbum"),
        "artist": ann.item("The Sine Waves", "MusicArtist"),
        "track": tracks["Tone 1"],
        "device": sidecar.downloads()[0]["device_id"],
        "download": sidecar.downloads()[0]["id"],
    }
