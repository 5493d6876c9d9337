"""`make floods`: what everybody else notices while somebody floods the sidecar.

    python -m tests.bench.floods [--seconds 20] [--addresses 8] [--namespaces 0] [FLOOD ...]

The product and the demo Jellyfin are processes of their own, and so is each flood. Meanwhile
`/health`, Ben's page and Ben's socket are asked for from an address of their own. Printed for each
flood: how many answers came late (over a second) or not at all, and the slowest; the most threads,
sockets and memory; after how many seconds all of it was back; and how much the log grew.

The floods come from addresses of the loopback network; with `--namespaces 3`, as root, from three
network namespaces, over Ethernet pairs, as from machines of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import requests

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.timing import Timing
from tests.e2e.conftest import PASSWORDS, Person, Sidecar, write_library
from tests.fakes.page import OpenPage
from tests.fakes.servers.slow_line import SlowLine, wait_until

# The beginning of the addresses that floods come from, if not from network namespaces.
LOOPBACK = "127.0.1"
LATE_S = 1.0
GIVE_UP_S = 5.0
HEALTH_EVERY_S = 0.1
PAGE_EVERY_S = 0.5
SOCKET_EVERY_S = 2.0
BACK_WITHIN_S = 45.0
# What systemd gives a service: the sidecar has to ask for more by itself.
DESCRIPTORS = 1024
TRACKS = {"Tone 1": 300_000, "Long Noise": 40 * 1024 * 1024, "Longer Noise": 41 * 1024 * 1024}


@dataclass(frozen=True, slots=True)
class Target:
    """What a flood needs to know, as text on its command line.

    Attributes:
        network: The beginning of the addresses that it comes from.
    """

    host: str
    port: int
    key: str
    addresses: int
    media: tuple[str, ...]
    jellyfin: tuple[str, ...]
    network: str = LOOPBACK

    def source(self, number: int) -> tuple[str, int]:
        """Return the address that the attacker's connection of this number comes from."""
        return f"{self.network}.{2 + number % self.addresses}", 0

    def head(self, line: str, *more: str) -> bytes:
        """Return the beginning of a request by the flooding account."""
        lines = (line, f"Host: {self.host}:{self.port}", f"Authorization: Bearer {self.key}", *more)
        return "\r\n".join((*lines, "", "")).encode()


Flood = Callable[[Target, int], Coroutine[Any, Any, None]]
L = TypeVar("L", bound=SlowLine)


async def _connect(target: Target, number: int, **options: int) -> socket.socket | None:
    line = socket.socket()
    line.setblocking(False)
    for name, value in options.items():
        line.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    try:
        line.bind(target.source(number))
        await asyncio.wait_for(
            asyncio.get_running_loop().sock_connect(line, (target.host, target.port)), 10
        )
    except (OSError, TimeoutError):
        line.close()
        return None
    return line


async def _hold(line: socket.socket) -> None:
    """Wait until the other side has closed."""
    with suppress(OSError):
        while await asyncio.get_running_loop().sock_recv(line, 65536):
            pass


async def silent(target: Target, number: int) -> None:
    """Connect and say nothing."""
    line = await _connect(target, number)
    if line is not None:
        await _hold(line)
        line.close()


async def _drip(target: Target, number: int, first: bytes, piece: bytes) -> None:
    line = await _connect(target, number)
    if line is None:
        return
    with suppress(OSError):
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(line, first)
        while True:
            await asyncio.sleep(1)
            await loop.sock_sendall(line, piece)
    line.close()


async def head(target: Target, number: int) -> None:
    """Send one header a second."""
    await _drip(target, number, b"GET /health HTTP/1.1\r\nHost: localhost\r\n", b"X-A: b\r\n")


async def body(target: Target, number: int) -> None:
    """Send one byte of a body a second."""
    first = (
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n"
    )
    await _drip(target, number, first, b"a")


async def readers(target: Target, number: int) -> None:
    """Ask for pages, as an account and as nobody, and read no answer."""
    line = await _connect(target, number, SO_RCVBUF=2048)
    if line is None:
        return
    paths = ("/downloads", "/static/vendor/app.js", "/api/v1/openapi.json")
    with suppress(OSError):
        loop = asyncio.get_running_loop()
        for _ in range(3):
            request = target.head(f"GET {paths[number % 3]} HTTP/1.1")
            await loop.sock_sendall(line, request)
        await asyncio.sleep(60)
    line.close()


async def handshakes(target: Target, number: int) -> None:
    """Open a live connection and never join it."""
    line = await _connect(target, number)
    if line is None:
        return
    with suppress(OSError):
        loop = asyncio.get_running_loop()
        path = "/socket.io/?EIO=4&transport=polling"
        await loop.sock_sendall(line, target.head(f"GET {path} HTTP/1.1", "Connection: close"))
        await _hold(line)
    line.close()


async def sockets(target: Target, number: int) -> None:
    """Open a WebSocket: half of them join, the others do not."""
    line = await _connect(target, number)
    if line is None:
        return
    with suppress(OSError):
        loop = asyncio.get_running_loop()
        head = target.head(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        await loop.sock_sendall(line, head)
        if number % 2:
            await loop.sock_sendall(line, b"\x81\x82\0\0\0\x0040")
        await _hold(line)
    line.close()


async def polls(target: Target, number: int) -> None:
    """Join over polling, and poll."""
    line = await _connect(target, number)
    if line is None:
        return
    with suppress(OSError, IndexError, ValueError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection(sock=line)
        path = "/socket.io/?EIO=4&transport=polling"
        writer.write(target.head(f"GET {path} HTTP/1.1"))
        answer = await reader.readuntil(b"}")
        sid = json.loads(answer[answer.index(b"0{") + 1 :])["sid"]
        post = target.head(f"POST {path}&sid={sid} HTTP/1.1", "Content-Length: 2") + b"40"
        writer.write(post + target.head(f"GET {path}&sid={sid} HTTP/1.1") * 3)
        while await reader.read(65536):
            pass
    line.close()


async def players(target: Target, number: int) -> None:
    """Play a file and read nothing of it."""
    line = await _connect(target, number, SO_RCVBUF=2048)
    if line is None:
        return
    with suppress(OSError):
        path = target.media[number % len(target.media)]
        await asyncio.get_running_loop().sock_sendall(line, target.head(f"GET {path} HTTP/1.1"))
        await asyncio.sleep(60)
    line.close()


async def jellyfin(target: Target, number: int) -> None:
    """Ask what Jellyfin is asked for."""
    line = await _connect(target, number)
    if line is None:
        return
    with suppress(OSError):
        path = target.jellyfin[number % len(target.jellyfin)]
        request = target.head(f"GET {path} HTTP/1.1", "Connection: close")
        await asyncio.get_running_loop().sock_sendall(line, request)
        await _hold(line)
    line.close()


async def upgrades(target: Target, number: int) -> None:
    """Ask for files with `Upgrade: websocket`, and for sockets without an account."""
    line = await _connect(target, number)
    if line is None:
        return
    with suppress(OSError):
        more = ("Connection: Upgrade", "Upgrade: websocket")
        path = target.media[0] if number % 2 else "/socket.io/?EIO=4&transport=websocket"
        request = target.head(f"GET {path} HTTP/1.1", *more)
        if not number % 2:
            request = request.replace(target.key.encode(), b"nobody")
        await asyncio.get_running_loop().sock_sendall(line, request)
        await _hold(line)
    line.close()


async def costly(target: Target, number: int) -> None:
    """Send heads that are made to take long to read."""
    line = await _connect(target, number)
    if line is None:
        return
    heads = (
        b"GET /health HTTP/1.1\r\nA:" + b" " * 30_000 + b"\0\r\n\r\n",
        b"GET /health HTTP/1.1\r\nA: x" + b" " * 30_000 + b"y\r\n\r\n",
        target.head("GET /socket.io/?EIO=4 HTTP/1.1", 'Cookie: sidecar_session="' + '\\"' * 15_000),
        target.head("GET /downloads HTTP/1.1", "If-None-Match: x" + " " * 30_000 + "y"),
        target.head("GET / HTTP/1.1", "Accept-Language: " + "en;q=0.1," * 3000),
    )
    with suppress(OSError):
        await asyncio.get_running_loop().sock_sendall(line, heads[number % len(heads)])
        await _hold(line)
    line.close()


# Each with how many run at once.
FLOODS: dict[str, tuple[Flood, int]] = {
    "silent": (silent, 2000),
    "head": (head, 500),
    "body": (body, 500),
    "readers": (readers, 200),
    "handshakes": (handshakes, 50),
    "sockets": (sockets, 300),
    "polls": (polls, 60),
    "players": (players, 20),
    "jellyfin": (jellyfin, 60),
    "upgrades": (upgrades, 40),
    "costly": (costly, 40),
}


# Made whole, however long that takes, unless it is three times the usual time.
WHOLE = {"handshakes": 5000}


async def flood(name: str, target: Target, seconds: float) -> None:
    """Keep so many of a flood's connections going; each that ends is followed by another."""
    one, count = FLOODS[name]
    whole = WHOLE.get(name, 0)
    begun_at, made = time.monotonic(), 0

    def is_over() -> bool:
        taken = time.monotonic() - begun_at
        return taken > seconds and (made >= whole or taken > 3 * seconds)

    async def go_on(number: int) -> None:
        nonlocal made
        while not is_over():
            made += 1
            await one(target, number)
            await asyncio.sleep(0.02)

    tasks = [asyncio.ensure_future(go_on(number)) for number in range(count)]
    while not is_over():  # noqa: ASYNC110 - it waits for the time, not for an event
        await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    print(made, flush=True)


class Dripping(SlowLine):
    """A line over which a server's answers come a byte a second, once told."""

    is_dripping = False

    def _forward(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        if not counted:
            super()._forward(source, target, counted)
            return
        with suppress(OSError):
            while block := source.recv(65536):
                while self.is_dripping and block and not self._over.is_set():
                    target.sendall(block[:1])
                    block = block[1:]
                    self._over.wait(1)
                target.sendall(block)
        self._close(source)
        self._close(target)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a flood comes from: how to run a program there, its network, and our address in it."""

    command: tuple[str, ...] = ()
    network: str = LOOPBACK
    ours: str = "127.0.0.1"


@contextmanager
def namespaces(count: int, addresses: int) -> Iterator[tuple[Place, ...]]:
    """Make network namespaces, each joined to this one by an Ethernet pair; needs root."""
    with ExitStack() as made:
        places = []
        for number in range(count):
            name, network = f"flood{os.getpid()}-{number}", f"10.213.{number}"
            here, there = f"fl{number}-{os.getpid() % 10**7}", "flood"
            _ip("netns", "add", name)
            made.callback(_ip, "netns", "delete", name)
            _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
            _ip("address", "add", f"{network}.1/24", "dev", here)
            _ip("link", "set", here, "up")
            for last in range(2, 2 + addresses):
                _ip("-n", name, "address", "add", f"{network}.{last}/24", "dev", there)
            _ip("-n", name, "link", "set", there, "up")
            places.append(Place(("ip", "netns", "exec", name), network, f"{network}.1"))
        yield tuple(places)


def _ip(*words: str) -> None:
    subprocess.run(("ip", *words), check=True)


@dataclass
class Others:
    """What everybody else notices."""

    taken: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, seconds: float) -> None:
        """Note how long something took."""
        self.taken.setdefault(what, []).append(seconds)

    def late(self, what: str) -> str:
        """Return how many were late, of how many, and the slowest."""
        found = self.taken.get(what, [])
        bad = sum(one > LATE_S for one in found)
        return f"{bad:3d}/{len(found):3d} {max(found, default=0):6.2f}"


def _every(
    interval: float, over: threading.Event, others: Others, what: str, ask: Callable[[], None]
) -> None:
    while not over.is_set():
        began = time.monotonic()
        try:
            ask()
            taken = time.monotonic() - began
        except Exception:  # noqa: BLE001 - however it fails, it is not there in time
            taken = GIVE_UP_S
        others.note(what, taken)
        over.wait(max(0.0, interval - (time.monotonic() - began)))


@contextmanager
def asking(sidecar: Sidecar, ben: str) -> Iterator[Others]:
    """Ask for what everybody needs, all the time."""
    others, over = Others(), threading.Event()
    signed_in = {"Authorization": f"Bearer {ben}"}

    def health() -> None:
        requests.get(f"{sidecar.url}/health", timeout=GIVE_UP_S).raise_for_status()

    def page() -> None:
        reply = requests.get(f"{sidecar.url}/downloads", headers=signed_in, timeout=GIVE_UP_S)
        reply.raise_for_status()

    def live() -> None:
        with OpenPage(sidecar.url, key=ben) as one:
            one.next("snapshot", within_s=GIVE_UP_S)

    asked = [(HEALTH_EVERY_S, "health", health), (PAGE_EVERY_S, "page", page)]
    asked += [(SOCKET_EVERY_S, "socket", live)]
    threads = [
        threading.Thread(target=_every, args=(every, over, others, what, ask))
        for every, what, ask in asked
    ]
    for thread in threads:
        thread.start()
    try:
        yield others
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def used(pid: int) -> tuple[int, int, int]:
    """Return the threads, sockets and MB that a process holds."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    numbers = Path(f"/proc/{pid}/fd").iterdir()
    sockets = sum(_is_socket(one) for one in numbers)
    return int(status["Threads"]), sockets, int(status["VmRSS"].split()[0]) // 1024


def _is_socket(number: Path) -> bool:
    with suppress(OSError):
        return str(number.readlink()).startswith("socket:")
    return False


def run(
    names: tuple[str, ...],
    sidecar: Sidecar,
    target: Target,
    ben: str,
    *,
    seconds: float,
    places: tuple[Place, ...],
) -> None:
    """Flood, and print a line."""
    assert sidecar.process is not None
    pid, log_before = sidecar.process.pid, sidecar.log.stat().st_size
    before = used(pid)
    lines_before = sidecar.log.read_bytes().count(b"\n")
    most = before
    with asking(sidecar, ben) as others:
        command = [sys.executable, "-m", "tests.bench.floods", "--seconds", str(seconds)]
        processes = [
            subprocess.Popen(
                [*place.command, *command, "--flood", _told(target, place), name],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for name, place in zip(names, itertools.cycle(places), strict=False)
        ]
        while any(one.poll() is None for one in processes):
            now = used(pid)
            most = (max(most[0], now[0]), max(most[1], now[1]), max(most[2], now[2]))
            time.sleep(0.1)
        made = sum(int(one.communicate()[0] or 0) for one in processes)
    ended = time.monotonic()
    is_back = False
    while not is_back and time.monotonic() - ended < BACK_WITHIN_S:
        now = used(pid)
        is_back = now[0] <= before[0] + 3 and now[1] <= before[1] + 5
        time.sleep(0.2)
    back = f"{time.monotonic() - ended:5.1f}" if is_back else "never"
    grown = sidecar.log.stat().st_size - log_before
    lines = sidecar.log.read_bytes().count(b"\n") - lines_before
    label = names[0] if len(names) == 1 else "all"
    print(
        f"{label:11}{made:7d}  {others.late('health')}  {others.late('page')}  "
        f"{others.late('socket')}  {most[0]:5d} {most[1]:5d} {most[2]:5d}  {back}  "
        f"{lines:6d} {grown // 1024:6d}",
        flush=True,
    )


def _told(target: Target, place: Place) -> str:
    there = replace(target, host=place.ours, network=place.network)
    return json.dumps([getattr(there, name) for name in Target.__slots__])


def main() -> int:
    """Flood a sidecar of its own, by each flood alone and by all of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--addresses", type=int, default=8)
    parser.add_argument("--namespaces", type=int, default=0, help="needs root")
    parser.add_argument("--flood", help="for this program itself")
    parser.add_argument("floods", nargs="*", help=f"{', '.join(FLOODS)}, all")
    given = parser.parse_args()
    if given.flood:
        host, port, key, addresses, media, jelly, network = json.loads(given.flood)
        target = Target(host, port, key, addresses, tuple(media), tuple(jelly), network)
        asyncio.run(flood(given.floods[0], target, given.seconds))
        return 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="floods-")))
        host = "0.0.0.0" if given.namespaces else "127.0.0.1"  # noqa: S104 - they must reach it
        sidecar, line, media, items = start(stack, folder, Dripping, host=host)
        made = sidecar.command("api-key", "create", "--account", "ben", "--label", "floods")
        ben = made.stdout.strip()
        port = int(sidecar.url.rpartition(":")[2])
        target = Target("", port, sidecar.key, given.addresses, media, items)
        made_places = stack.enter_context(namespaces(given.namespaces, given.addresses))
        places = made_places or (Place(),)
        assert sidecar.process is not None
        print("before: {} threads, {} sockets, {} MB".format(*used(sidecar.process.pid)))
        print(
            f"{'flood':11}{'times':>7}  {'health late':14}  {'page late':14}  {'socket late':14}  "
            f"{'most threads, socks, MB':17}  back s  log lines, kB"
        )
        for name in given.floods or [*FLOODS, "all"]:
            names = tuple(FLOODS) if name == "all" else (name,)
            line.is_dripping = "jellyfin" in names
            run(names, sidecar, target, ben, seconds=given.seconds, places=places)
            line.is_dripping = False
        print("after: {} threads, {} sockets, {} MB".format(*used(sidecar.process.pid)))
    return 0


def start(
    stack: ExitStack, folder: Path, make_line: Callable[[int], L], host: str = "127.0.0.1"
) -> tuple[Sidecar, L, tuple[str, ...], tuple[str, ...]]:
    """Start the demo, a line before it, and the sidecar; return what media and pages to ask for."""
    (folder / "library").mkdir()
    write_library(folder / "library", TRACKS)
    demo = stack.enter_context(
        DemoServer(folder / "library", speaks=Version.V12_0, timing=Timing(user_data_s=0.2))
    )
    line = make_line(int(demo.url.rpartition(":")[2]))
    stack.enter_context(line)
    stick = folder / "stick"
    stick.mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SIDECAR_JELLYFIN__URL": f"http://127.0.0.1:{line.port}",
        "SIDECAR_JELLYFIN__USERNAME": "ann",
        "SIDECAR_JELLYFIN__PASSWORD": PASSWORDS["ann"],
        "SIDECAR_SERVER__HOST": host,
        "SIDECAR_SERVER__PORT": "0",
        "SIDECAR_SERVER__DATA_DIR": str(folder / "data"),
        "SIDECAR_DEVICES": json.dumps([{"name": "Car", "path": str(stick), "reserve": "1 MB"}]),
    }
    limit = ("prlimit", f"--nofile={DESCRIPTORS}:20000")
    program = (*limit, sys.executable, "-m", "sidecar")
    sidecar = Sidecar(environ, folder / "log", stick, program)
    sidecar.start()
    stack.callback(sidecar.stop)
    wait_until(lambda: "Account  ann" in sidecar.command("status").stdout, what="the sign-in")
    sidecar.get_key("ann")
    ann = Person(demo.url, "ann").sign_in()
    stack.callback(ann.session.close)
    tracks = ann.tracks()
    for title in TRACKS:
        ann.heart(tracks[title])
    for title in TRACKS:
        sidecar.wait_for(title, "completed")
    requests.post(
        f"{sidecar.url}/api/v1/session",
        json={"username": "ben", "password": PASSWORDS["ben"]},
        timeout=10,
    ).raise_for_status()
    long = [one["id"] for one in sidecar.downloads() if "Noise" in one["title"]]
    media = (*(f"/media/{one}" for one in long), f"/media/item/{tracks['Long Noise']}")
    items: tuple[str, ...] = ("/library", f"/library/{ann.item('First Light', 'MusicAlbum')}")
    return sidecar, line, media, items


if __name__ == "__main__":
    sys.exit(main())
