"""`make lies`: how much memory the sidecar takes while Jellyfin says anything at all.

    python -m tests.bench.lying [--seconds 60] [LIE ...]

The product is a process of its own. Once it has begun its work, each request to Jellyfin is
answered with lies, made to cost as much memory as their limits allow, and each live connection
is filled with them; meanwhile twelve askers open pages and covers, search, and begin again.
Printed for each lie, and for all in turn: how many were told, how many MB; the most resident
memory, and what of it is left ten seconds after the last one.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import itertools
import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import requests

from tests.bench.floods import start, used
from tests.e2e.conftest import Sidecar
from tests.fakes.servers.slow_line import SlowLine

MIB = 1024 * 1024
ASKERS = 12
QUIET_S = 10.0
MOST_MB = 300
ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Lie = Callable[[str], bytes]


def _items(count: int, more: bytes, *, total: int | None = None) -> bytes:
    ids = (os.urandom(16).hex().encode() for _ in range(count))
    entries = b",".join(b'{"Id":"%s","Type":"Audio",%s}' % (one, more) for one in ids)
    return b'{"TotalRecordCount":%d,"Items":[%s]}' % (total or count, entries)


def _list(entry: bytes, count: int) -> bytes:
    return b"[" + entry + (b"," + entry) * (count - 1) + b"]"


def _text(size: int) -> bytes:
    return base64.b64encode(os.urandom(size))[:size]


def _endless(_path: str) -> bytes:
    """A library of 290,000 tracks, each with long texts of its own."""
    entries = b",".join(
        b'{"Id":"%s","Type":"Audio","Name":"%s","Album":"%s","Path":"/%s.flac","ServerId":null}'
        % (os.urandom(16).hex().encode(), _text(300), _text(300), _text(900))
        for _ in range(200)
    )
    return b'{"TotalRecordCount":290000,"Items":[%s]}' % entries


def _sessions(count: int, queued: int) -> bytes:
    queue = _list(b'{"Id":"%s","PlaylistItemId":"p"}' % (b"1" * 32), queued)
    return b"[%s]" % b",".join(
        b'{"Id":"s%d","UserId":"%s","NowPlayingItem":{"Id":"%s","Type":"Audio","Name":"%s"},'
        b'"NowPlayingQueue":%s}' % (one, b"a" * 32, b"1" * 32, _text(3000), queue)
        for one in range(count)
    )


def _full_queue(_path: str) -> bytes:
    entry = b'{"Id":"%s","Name":"%s","Genres":["a","b"]}' % (b"1" * 32, _text(900))
    full = _list(entry, 100_000)
    return b'[{"Id":"s","UserId":"%s","NowPlayingQueueFullItems":%s}]' % (b"a" * 32, full)


# Each is told the path that is asked for; most do not care.
LIES: dict[str, Lie] = {
    "objects": lambda _: b'{"x":%s}' % _list(b'{"a":1}', 99_000),
    "empty": lambda _: b'{"x":%s}' % _list(b"{}", 99_000),
    "lists": lambda _: _list(b"[]", 99_000),
    "words": lambda _: _list(b'"%s"' % _text(40), 199_000),
    "numbers": lambda _: _list(b"1", 199_000),
    "keys": lambda _: b"{%s}" % b",".join(b'"%d":1' % one for one in range(199_000)),
    "users": lambda _: _list(b"{}", 99_000),
    "tags": lambda _: _items(
        1, b'"ImageTags":{%s}' % b",".join(b'"%d":1' % one for one in range(190_000))
    ),
    "streams": lambda _: _items(
        100, b'"MediaSources":[{"MediaStreams":%s}]' % _list(b'{"Codec":"x"}', 700)
    ),
    "sources": lambda _: _items(1, b'"MediaSources":%s' % _list(b"{}", 39_000)),
    "long": lambda _: _items(100, b'"Name":"%s","Path":"/%s"' % (_text(4000), _text(4000))),
    "one word": lambda _: b'{"x":"' + b"x" * (16 * MIB - 100) + b'"}',
    "too long": lambda _: b'{"x":"' + b"x" * (40 * MIB) + b'"}',
    "endless": _endless,
    "sessions": lambda _: _sessions(300, 150),
    "full queue": _full_queue,
    "deep": lambda _: b'{"Items":' + b"[" * 250_000,
    "bomb": lambda _: gzip.compress(bytes(64 * MIB)),
    "cover": lambda _: b"\xff\xd8\xff" + bytes(15 * MIB),
    "small cover": lambda _: b"\xff\xd8\xff" + bytes(19 * MIB // 10),
    "frames": lambda _: (
        b'{"MessageType":"UserDataChanged","Data":{"UserId":"%s","UserDataList":%s}}'
        % (b"a" * 32, _list(b'{"ItemId":"%s","IsFavorite":true}' % (b"1" * 32), 40_000))
    ),
}


class Lying(SlowLine):
    """A line that answers in place of the server, once told what."""

    lies: Iterator[str] = iter(())
    told = 0
    told_bytes = 0

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.is_lying = False
        self._made: dict[str, bytes] = {}
        self._choice = threading.Lock()

    def tell(self, names: tuple[str, ...]) -> None:
        """Tell these in turn from now on."""
        self.lies, self.told, self.told_bytes = itertools.cycle(names), 0, 0
        self.is_lying = True
        self.cut()

    def _forward(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        """Forward, or answer: `counted` is the direction from the server."""
        if counted or not self.is_lying:
            super()._forward(source, target, counted)
            return
        with suppress(OSError):
            asked = b""
            while block := source.recv(65536):
                asked += block
                if b"\r\n\r\n" in asked:
                    if not self._answer(asked, source):
                        break
                    asked = b""
        self._close(source)
        self._close(target)

    def _answer(self, asked: bytes, to: socket.socket) -> bool:
        """Tell one lie, or any number over a live connection; return whether to go on."""
        with self._choice:
            name = next(self.lies)
            self.told += 1
            made = self._made.get(name)
        line = asked.split(b" ", 2)[1].decode("latin-1")
        if made is None:
            made = LIES[name](line)
            if name != "endless":
                self._made[name] = made
        self.told_bytes += len(made)
        if b"upgrade: websocket" in asked.lower():
            self._fill(asked, to)
            return False
        kind = b"image/jpeg" if name.endswith("cover") else b"application/json"
        packed = b"Content-Encoding: gzip\r\n" if name == "bomb" else b""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n"
        to.sendall(head % (kind, packed, len(made)) + made)
        return True

    def _fill(self, asked: bytes, to: socket.socket) -> None:
        """Open a WebSocket and fill it with frames of four megabytes."""
        key = next(
            one.split(b":", 1)[1].strip()
            for one in asked.split(b"\r\n")
            if one.lower().startswith(b"sec-websocket-key:")
        )
        accepted = base64.b64encode(hashlib.sha1(key + ACCEPT, usedforsecurity=False).digest())
        to.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n" % accepted
        )
        bodies = [LIES["frames"](""), _sessions_frame(), LIES["objects"]("")]
        for number in itertools.count():
            body = bodies[number % len(bodies)]
            to.sendall(b"\x81\x7f" + len(body).to_bytes(8, "big") + body)
            self.told += 1
            self.told_bytes += len(body)


def _sessions_frame() -> bytes:
    return b'{"MessageType":"Sessions","Data":%s}' % _sessions(300, 150)


def _ask(sidecar: Sidecar, pages: tuple[str, ...], over: threading.Event) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {sidecar.key}"
    chance = random.Random(threading.get_ident())
    while not over.is_set():
        with suppress(requests.RequestException):
            session.get(f"{sidecar.url}{chance.choice(pages)}", timeout=30)
        over.wait(0.02)


def _run(
    names: tuple[str, ...], sidecar: Sidecar, line: Lying, pages: tuple[str, ...], seconds: float
) -> tuple[int, int]:
    """Lie, print a line, and return the most memory and what is left, in MB."""
    assert sidecar.process is not None
    over, most = threading.Event(), 0
    askers = [threading.Thread(target=_ask, args=(sidecar, pages, over)) for _ in range(ASKERS)]
    line.tell(names)
    for one in askers:
        one.start()
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        most = max(most, used(sidecar.process.pid)[2])
        time.sleep(0.05)
    over.set()
    line.is_lying = False
    line.cut()
    for one in askers:
        one.join(40)
    ends_at = time.monotonic() + QUIET_S
    while time.monotonic() < ends_at:
        left = used(sidecar.process.pid)[2]
        most = max(most, left)
        time.sleep(0.1)
    label = names[0] if len(names) == 1 else "all"
    told = f"{line.told:7d} {line.told_bytes // MIB:8d}"
    print(f"{label:11}{told} {most:6d} {left:6d}", flush=True)
    return most, left


def main() -> int:
    """Lie to a sidecar of its own, in each way alone and in all of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--each", type=float, default=5, help="seconds for each lie alone")
    parser.add_argument("lies", nargs="*", help=f"{', '.join(LIES)}, all")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lying-")))
        sidecar, line, _, items = start(stack, folder, Lying)
        assert sidecar.process is not None
        print("before: {} threads, {} sockets, {} MB".format(*used(sidecar.process.pid)))
        print(f"{'lie':11}{'told':>7} {'MB':>8} {'most':>6} {'left':>6}")
        covers = tuple(f"/api/v1/items/{number:032x}/cover" for number in range(50))
        search = tuple(f"/library?search={number}" for number in range(50))
        pages = (*items, *covers, *search, "/api/v1/now", "/imports", "/rules", "/", "/playlists")
        worst = 0
        for name in given.lies or [*LIES, "all"]:
            names = tuple(LIES) if name == "all" else (name,)
            seconds = given.seconds if name == "all" else given.each
            worst = max(worst, *_run(names, sidecar, line, pages, seconds))
    return int(worst > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())
