"""`make bench-sockets`: what open pages cost, beside the bare library with as many.

    python -m tests.bench.sockets [COUNT]

Both servers are processes of their own; the same client opens COUNT connections, waits for the
first message on each, and then for one change that all must hear. Printed: seconds to open them,
memory and threads for each connection, CPU while nothing happens, the delay of the change, and how
many did not hear it: the server closes what answers no ping, as this client while it opens others.
Unlike real pages all come from one process on this machine.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import requests
from flask import Flask
from flask_socketio import SocketIO
from websockets.exceptions import ConnectionClosed

from sidecar.clock import SystemClock
from sidecar.process import limits
from sidecar.web.server import WebServer, serve_in_thread, websockets
from tests.bench.rows.household import cpu
from tests.fakes.clock import FakeClock
from tests.fakes.page import OpenPage
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import free_port
from tests.web.house import EVE, web_house

IDLE_S = 5.0
CHANGE = "download:queued"


def main() -> int:
    """Measure both."""
    if sys.argv[1:2] == ["--serve"]:
        return serve(sys.argv[2], int(sys.argv[3]))
    count = int(sys.argv[1]) if sys.argv[1:] else 200
    print(f"{count} open pages{'':12}open s   kB each  threads  idle CPU %  change p95 ms  closed")
    rows = {name: measure(name, count) for name in ("ours", "bare Flask-SocketIO")}
    for name, row in rows.items():
        print(f"{name:22}" + "".join(f"{value:10.2f}" for value in row))
    mine, bare = rows.values()
    ratios = [one / other if other else 0 for one, other in zip(mine, bare, strict=True)]
    print(f"{'ratio':22}" + "".join(f"{value:10.2f}" for value in ratios))
    return 0


def measure(name: str, count: int) -> tuple[float, ...]:
    """Open the pages and return the figures."""
    command = [sys.executable, "-m", "tests.bench.sockets", "--serve", name, str(count)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    told = json.loads(server.stdout.readline())
    wait_until(lambda: listens(told["url"]), what="a server that listens")
    try:
        with ExitStack() as stack:
            before = memory(server.pid)
            began = time.monotonic()
            pages = [
                stack.enter_context(OpenPage(told["url"], cookie=told["cookies"][number // 5]))
                for number in range(count)
            ]
            for page in pages:
                page.next("snapshot", within_s=60)
            opened = time.monotonic() - began
            each = (memory(server.pid) - before) / count
            running = len(list(Path(f"/proc/{server.pid}/task").iterdir()))
            busy = cpu(server.pid)
            threading.Event().wait(IDLE_S)
            idle = 100 * (cpu(server.pid) - busy) / IDLE_S
            delays = change(told["url"], pages)
            p95 = 1000 * quantiles(delays, n=20)[-1]
            return opened, each, float(running), idle, p95, float(count - len(delays))
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait(10)
        server.stdout.close()


def listens(url: str) -> bool:
    """Whether a server takes connections yet."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", int(url.rpartition(":")[2]))) == 0


def change(url: str, pages: list[OpenPage]) -> list[float]:
    """Change something; return after how many seconds each page that is still open heard it."""
    delays: list[float] = []
    began = time.monotonic()

    def hear(page: OpenPage) -> None:
        with suppress(ConnectionClosed):
            page.next(CHANGE, within_s=60)
            delays.append(time.monotonic() - began)

    threads = [threading.Thread(target=hear, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    requests.get(f"{url}/change", timeout=10, headers={"Host": "127.0.0.1"})
    for thread in threads:
        thread.join(60)
    return delays


def memory(pid: int) -> float:
    """Return the kB that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def serve(name: str, count: int) -> int:
    """Serve one of the two until killed."""
    return serve_ours(count) if name == "ours" else serve_bare()


def serve_ours(count: int) -> int:
    """The web of the sidecar, for an admin with many sessions."""
    # All pages are one account's here, which would not get so many; nor would all accounts.
    limits.SOCKETS = max(limits.SOCKETS, count)
    limits.SOCKETS_AN_ACCOUNT = limits.SOCKETS
    vars(websockets)["SOCKETS"] = limits.SOCKETS
    with (
        TemporaryDirectory() as folder,
        web_house(Path(folder), FakeClock(), web_clock=SystemClock()) as house,
    ):
        for number in range(1, 21):
            house.add(number)
        plain = house.web.wsgi

        def app(environ: dict[str, object], start: object) -> object:
            if environ.get("PATH_INFO") == "/change":
                house.add(21)
            return plain(environ, start)  # type: ignore[arg-type]  # as the server calls it

        server = WebServer(app, "127.0.0.1", 0)  # type: ignore[arg-type]  # the same shape
        server.bind()
        thread = serve_in_thread(server)
        house.web.live.start()
        cookies = [house.begin_session(EVE) for _ in range(400)]
        print(json.dumps({"url": server.url, "cookies": cookies}), flush=True)
        thread.join()
    return 0


def serve_bare() -> int:
    """The library as its own documentation starts it, with one room for all."""
    app = Flask("bare")
    sockets = SocketIO(app, async_mode="threading", cors_allowed_origins="*")

    @sockets.on("connect")
    def come() -> None:
        sockets.emit("snapshot", {"seq": 0})

    @app.get("/change")
    def change() -> str:
        sockets.emit(CHANGE, {"seq": 1})
        return ""

    port = free_port()
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "cookies": ["none"] * 400}), flush=True)
    sockets.run(app, host="127.0.0.1", port=port, allow_unsafe_werkzeug=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
