"""Two real Syncthings on this machine, which talk to each other and to nobody else.

Unlike most people's, they find each other by a fixed address on 127.0.0.1: discovery, relays, NAT,
STUN, reports of use and of crashes, and upgrades are all off. They look at their folders only when
they are told to, so that a test waits for nothing.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

FOLDER = "music"
# The processes of a test run must not all draw the same.
_CHANCE = random.SystemRandom()
OPTIONS = """
    <options>
        <listenAddress>tcp://127.0.0.1:{port}</listenAddress>
        <globalAnnounceEnabled>false</globalAnnounceEnabled>
        <localAnnounceEnabled>false</localAnnounceEnabled>
        <relaysEnabled>false</relaysEnabled>
        <natEnabled>false</natEnabled>
        <stunKeepaliveStartS>0</stunKeepaliveStartS>
        <reconnectionIntervalS>1</reconnectionIntervalS>
        <progressUpdateIntervalS>1</progressUpdateIntervalS>
        <startBrowser>false</startBrowser>
        <urAccepted>-1</urAccepted>
        <autoUpgradeIntervalH>0</autoUpgradeIntervalH>
        <crashReportingEnabled>false</crashReportingEnabled>
        <restartOnWakeup>false</restartOnWakeup>
        <minHomeDiskFree unit="%">0</minHomeDiskFree>
    </options>"""


@dataclass
class OneSyncthing:
    """One instance: its home, its folder, and its API as a person would use it."""

    name: str
    home: Path
    folder: Path
    is_secure: bool
    id: str = ""
    key: str = ""
    port: int = 0
    sync_port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http{'s' if self.is_secure else ''}://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        return self.home / "https-cert.pem"

    def prepare(self) -> None:
        """Make its keys; nothing runs yet."""
        program = shutil.which("syncthing")
        assert program, "these tests need Debian's syncthing: apt-get install syncthing"
        arguments = ["generate", f"--home={self.home}", "--no-default-folder"]
        told = subprocess.run(
            [program, *arguments],
            env=self._environ(),
            capture_output=True,
            timeout=PATIENCE_S,
            check=True,
        )
        self.id = re.findall(
            r"[A-Z2-7]{7}(?:-[A-Z2-7]{7}){7}", (told.stdout + told.stderr).decode()
        )[-1]
        self.port, self.sync_port = free_port(), free_port()
        self.key = f"key-of-{self.name.replace(' ', '-')}"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / ".stfolder").mkdir(exist_ok=True)

    def configure(self, other: OneSyncthing) -> None:
        """Let it know the other one, and share the folder with it."""
        devices = "".join(
            f'<device id="{one.id}" name="{one.name}" compression="never">'
            f"<address>tcp://127.0.0.1:{one.sync_port}</address></device>"
            for one in (self, other)
        )
        shared = "".join(f'<device id="{one.id}"></device>' for one in (self, other))
        (self.home / "config.xml").write_text(
            f'<configuration version="36">{devices}'
            f'<folder id="{FOLDER}" label="Music" path="{self.folder}" type="sendreceive" '
            'rescanIntervalS="0" fsWatcherEnabled="false">'
            f'{shared}<minDiskFree unit="%">0</minDiskFree></folder>'
            f'<gui enabled="true" tls="{str(self.is_secure).lower()}">'
            f"<address>127.0.0.1:{self.port}</address><apikey>{self.key}</apikey></gui>"
            f"{OPTIONS.format(port=self.sync_port)}</configuration>"
        )

    def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["syncthing", "serve", f"--home={self.home}", "--no-browser", "--no-restart"],
                env=self._environ(),
                stdout=log,
                stderr=log,
            )
        wait_until(self.answers, what=f"Syncthing of {self.name}")

    def answers(self) -> bool:
        try:
            return "pong" in str(self.ask("GET", "system/ping"))
        except OSError:
            return False

    def ask(self, method: str, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401 - JSON
        """Ask its API, as its own page does; only its own certificate is taken."""
        place = f"/rest/{path}?{urlencode(query)}"
        with closing(self._connection()) as connection:
            sent = None if body is None else json.dumps(body)
            connection.request(method, place, sent, headers={"X-API-Key": self.key})
            answer = connection.getresponse()
            text = answer.read()
        assert answer.status == HTTPStatus.OK, (place, answer.status, text)
        return json.loads(text) if text.strip() else None

    def _connection(self) -> HTTPConnection:
        """Return an open connection.

        Syncthing speaks plain http where it has not read the first bytes within a second.
        """
        if not self.is_secure:
            return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        trusted = ssl.create_default_context(cafile=self.certificate)
        trusted.check_hostname = False  # it is made for the machine's name
        until = monotonic() + PATIENCE_S
        while True:
            one = HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE_S, context=trusted)
            try:
                one.connect()
            except ssl.SSLError as error:
                if error.reason != "WRONG_VERSION_NUMBER" or monotonic() > until:
                    raise
            else:
                return one

    def wait_for(self, other: OneSyncthing) -> None:
        """Wait until it is connected to another."""

        def is_connected() -> bool:
            there = self.ask("GET", "system/connections")["connections"]
            return bool(there[other.id]["connected"])

        wait_until(is_connected, what="their connection")

    def scan(self) -> None:
        """Let it look at its folder; returns when it has."""
        self.ask("POST", "db/scan", folder=FOLDER)

    def pause(self, *, on: bool = True) -> None:
        """Let it take nothing, though it is there; or let it go on."""
        self.ask("PATCH", f"config/folders/{FOLDER}", {"paused": on})

    def stop(self) -> None:
        """End it by its own process, within ten seconds."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(PATIENCE_S)
        self.process = None

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "STNOUPGRADE": "1",
            "STNODEFAULTFOLDER": "1",
            # One process and no watcher beside it: what is ended is all that there is.
            "STMONITORED": "yes",
            "GOMAXPROCS": "1",
        }


@contextmanager
def two_syncthings(folder: Path) -> Iterator[tuple[OneSyncthing, OneSyncthing]]:
    """Start both: the one of the sidecar's machine, whose page is secure, and Ann's phone."""
    home = OneSyncthing("Home server", folder / "home", folder / "home-music", is_secure=True)
    phone = OneSyncthing("Ann's phone", folder / "phone", folder / "phone-music", is_secure=False)
    with ExitStack() as running:
        for one in (home, phone):
            one.prepare()
        for one, other in ((home, phone), (phone, home)):
            one.configure(other)
            running.callback(one.stop)
            one.start()
        home.wait_for(phone)
        yield home, phone


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, and that nobody is given by chance.

    Servers of other tests take any free port: the kernel gives them one of 32768 and above.
    """
    while True:
        port = _CHANCE.randrange(20_000, 32_768)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
