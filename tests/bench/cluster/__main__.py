"""One, two and four processes that work on one PostgreSQL, with Redis: `make bench-cluster`.

    nginx ──bytes──▶ work x 1, 2, 4 ──▶ four folders as devices
                          └── PostgreSQL, Redis ── watch, web ──▶ an open page

All are real processes. The server keeps its usual settings, and waits for its disk. Printed is a
table for each load: what one process does is the peer of the others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from pydantic import SecretStr

from sidecar.assembly.shared_events import start_event_bridge
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.events import Bus, DeviceChanged
from sidecar.process.threads import ThreadGroup
from sidecar.store.database import Database
from sidecar.store.dialects.postgresql import WRITER, PostgresqlAddress
from sidecar.store.stores import Stores
from tests import postgres, redis_server
from tests.bench.timing import Figures, plain
from tests.bench.transfers.ours import ANN, SERVER, queue, sign_in
from tests.bench.transfers.serving import MIB, Load, make
from tests.e2e.conftest import Sidecar
from tests.fakes.page import OpenPage
from tests.fakes.servers.nginx import run_nginx
from tests.fakes.servers.slow_line import wait_until
from tests.processes import list_children

DEVICES = 4
WORKERS = (1, 2, 4)
PORT = 18481
PROBES_EVERY_S = 0.25
LOADS = (Load("cluster-small", 600, 64 * 1024), Load("cluster-large", 48, 16 * MIB))
USUAL = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "shared_buffers": "128MB",
    "max_connections": "100",
}
WORK = (sys.executable, "-m", "tests.bench.cluster.timed_work")
OTHERS = (sys.executable, "-m", "sidecar")
# Who waits to write, each time this is asked.
WAITING = """SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND CAST(objid AS BIGINT) = ? AND NOT granted"""
ME = {"Id": ANN, "Name": "ann", "ServerId": SERVER, "Policy": {"EnableContentDownloading": True}}
INSIDE = """
    sendfile on; keepalive_requests 100000; default_type application/json;
    server {{
        listen 127.0.0.1:{port}; root {work}/www;
        location = /System/Info/Public {{ return 200 '{public}'; }}
        location = /Users/Me {{ return 200 '{me}'; }}
        rewrite ^/Items/([0-9a-f]+)/Download$ /{load}/$1.flac break;
    }}
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What one run has taken."""

    seconds: float
    claims: Sequence[float]
    heard: Sequence[float]
    waiting: float
    cpu: Mapping[str, float]


def main() -> None:
    """Run every load with every number of processes, and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of the files")
    asked = parser.parse_args()
    for load in LOADS:
        load = Load(load.name, load.count // 10, load.size) if asked.quick else load  # noqa: PLW2901
        with ExitStack() as stack:
            place = Path(tempfile.mkdtemp(prefix="cluster-"))
            stack.callback(shutil.rmtree, place, ignore_errors=True)
            make(load, place / "www" / load.name)
            public = json.dumps({"Id": SERVER, "Version": "10.11.0", "ProductName": "Jellyfin"})
            inside = INSIDE.format(
                port=PORT, work=place, public=public, me=json.dumps(ME), load=load.name
            )
            stack.enter_context(run_nginx(place, inside))
            found = {count: _measure(place / f"{count}", load, count) for count in WORKERS}
        _show(load, found)


def _show(load: Load, found: Mapping[int, Found]) -> None:
    head = ("processes that work", "files/s", "MB/s", "x one", "claims/s", "claim p50/p95 ms",
            "to a page p50/p95 ms", "writers waiting", "CPU s: work, each", "web", "watch",
            "PostgreSQL")  # fmt: skip
    one = found[WORKERS[0]].seconds
    rows = []
    for count, run in found.items():
        claims, heard = Figures.of(run.claims), Figures.of(run.heard)
        rows.append((
            str(count),
            f"{load.count / run.seconds:.1f}",
            f"{load.count * load.size / run.seconds / 1e6:.0f}",
            f"{one / run.seconds:.2f}",
            f"{len(run.claims) / run.seconds:.1f}",
            f"{claims.p50:.1f}/{claims.p95:.1f}",
            f"{heard.p50:.0f}/{heard.p95:.0f}",
            f"{run.waiting:.1f}",
            f"{run.cpu['work'] / count:.1f}",
            *(f"{run.cpu[name]:.1f}" for name in ("web", "watch", "PostgreSQL")),
        ))  # fmt: skip
    load_now = os.getloadavg()[0]
    plain(f"{load.count:,} x {load.size / MIB:g} MiB, load {load_now:.1f}", head, rows)


def _measure(place: Path, load: Load, count: int) -> Found:
    place.mkdir()
    clock, bus = SystemClock(), Bus()
    with ExitStack() as stack:
        server = stack.enter_context(postgres.running(**USUAL))
        news = stack.enter_context(redis_server.running())
        url = server.make("cluster")
        Database.open_server(PostgresqlAddress(url), place / "sidecar.db").close()
        db = Database.open_existing_server(PostgresqlAddress(url), place / "sidecar.db")
        stack.callback(db.close)
        settings = Settings.model_validate(
            {"jellyfin": {"url": f"http://127.0.0.1:{PORT}"}, "server": {"data_dir": place}}
        )
        store = Stores(db, bus, clock)
        sign_in(store, settings, clock)
        _, key = store.api_keys.create(ANN, "bench")
        threads = ThreadGroup(db.thread)
        stack.callback(threads.stop_all, within_s=10)
        start_event_bridge(news.url, settings, bus, clock, threads)
        started = {
            name: stack.enter_context(_process(place, name, url, news.url, count))
            for name in ("watch", "web", *(f"work-{number}" for number in range(count)))
        }
        held = "SELECT device_id FROM device_machines WHERE process_id IS NOT NULL ORDER BY 1"
        wait_until(lambda: len(db.sql(held)) == DEVICES, within_s=120, what="all devices")
        devices = [str(one) for (one,) in db.sql(held)]
        page = stack.enter_context(OpenPage(started["web"].url, key=key))
        page.next("snapshot")
        before = _cpu(started, server.folder)
        began = time.monotonic()
        for number, device in enumerate(devices):
            queue(store, device, clock, range(number, load.count, DEVICES), load.size)
        heard, waiting = _watch(db, bus, page, devices[0], load.count)
        took = time.monotonic() - began
        cpu = {name: used - before[name] for name, used in _cpu(started, server.folder).items()}
    claims = [
        float(one) for path in place.glob("work-*/claims") for one in path.read_text().splitlines()
    ]
    return Found(took, claims, heard, mean(waiting), cpu)


def _watch(
    db: Database, bus: Bus, page: OpenPage, device: str, count: int
) -> tuple[list[float], list[int]]:
    """Until all files are there: how soon a page hears of a commit here, and who waits to write."""
    heard, waiting = [], []
    arrived = "SELECT count(*) FROM downloads WHERE status = 'completed'"
    while db.sql(arrived)[0][0] < count:
        began = time.monotonic()
        with db.write():
            db.after_commit(lambda: bus.publish(DeviceChanged(device)))
        page.next("device")
        heard.append(time.monotonic() - began)
        waiting.append(int(db.sql(WAITING, (WRITER,))[0][0]))
        time.sleep(PROBES_EVERY_S)
    return heard, waiting


@contextmanager
def _process(place: Path, name: str, url: str, news: SecretStr, count: int) -> Iterator[Sidecar]:
    role, _, number = name.partition("-")
    data = place / name
    data.mkdir()
    shutil.copy2(place / "token.key", data)
    devices = []
    for one in range(DEVICES):
        is_here = bool(number) and one % count == int(number)
        folder = place / ("devices" if is_here else f"none-{name}") / f"{one}"
        if is_here:
            folder.mkdir(parents=True)
        devices.append({"name": f"Stick {one}", "path": str(folder), "reserve": "1 MB"})
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "SIDECAR_JELLYFIN__URL": f"http://127.0.0.1:{PORT}",
        "SIDECAR_SERVER__PORT": "0",
        "SIDECAR_SERVER__DATA_DIR": str(data),
        "SIDECAR_SERVER__MACHINE": name,
        "SIDECAR_DATABASE__URL": url,
        "SIDECAR_REDIS__URL": news.get_secret_value(),
        "SIDECAR_DEVICES": json.dumps(devices),
        "TIMED_CLAIMS": str(data / "claims"),
    }
    found = Sidecar(environ, place / f"log-{name}", data, program=WORK if number else OTHERS)
    found.begin("--role", role)
    try:
        found.wait_until_begun()
        yield found
    finally:
        found.stop()


def _cpu(started: Mapping[str, Sidecar], folder: Path) -> dict[str, float]:
    """Return the CPU seconds of all processes so far, by what they do."""
    used = dict.fromkeys(("work", "web", "watch"), 0.0)
    for name, one in started.items():
        assert one.process is not None
        used[name.partition("-")[0]] += _seconds(one.process.pid)
    parent = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    # What has ended is counted at its parent.
    used["PostgreSQL"] = _seconds(parent, with_ended=True) + sum(
        map(_seconds, list_children(parent))
    )
    return used


def _seconds(process: int, *, with_ended: bool = False) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = fields[11:15] if with_ended else fields[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
