"""Two hosts with a line that is cut without a word: `make cluster-check`.

    here: PostgreSQL, Redis, Jellyfin, the pages ── a cable for each ── there: a stick, who works

To be started in a network of its own (`unshare --net`), which ends with it and leaves nothing. A
cable is cut by addressing what goes over it to nobody: no end is told, and nothing is refused.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.store.dialects.postgresql import WRITER as WRITER_LOCK
from tests import postgres, redis_server
from tests.e2e.conftest import MIB, PASSWORDS, PYTHON, Person, Sidecar, sha256, write_library
from tests.fakes.servers.slow_line import wait_until

CABLES = ("database", "redis", "jellyfin")
NOBODY = "02:00:00:00:00:99"
LONG = tuple(f"Long {name}" for name in ("everything", "database", "redis"))
SHORT = tuple(f"Short {number}" for number in range(40))
SPEED = 2 * MIB
ROW = "SELECT status, bytes_downloaded, file_path FROM downloads WHERE title = %s"
# How many files it is, and how often the history says that one came.
COUNTS = """SELECT count(DISTINCT d.id), count(a.id) FROM downloads AS d
    LEFT JOIN activity AS a ON a.item_id = d.item_id AND a.kind = 'came'
    WHERE d.title = %s"""
# Held when the cable is cut: until the server gives the connection up, nobody else can write.
WRITER = """
import sys
from pathlib import Path
from sidecar.clock import SystemClock
from sidecar.store.database import Database
from sidecar.store.dialects.postgresql import PostgresqlAddress
db = Database.open_existing_server(PostgresqlAddress(sys.argv[1]), Path("sidecar.db"))
with db.write():
    db.sql("UPDATE devices SET name = 'Never'")
    print("in the middle", flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Cable:
    """A line between the two hosts.

    Attributes:
        number: Of its network: this host is 10.77.N.1, the other one 10.77.N.2.
        other: A process on the other host.
    """

    number: int
    other: int

    @property
    def here(self) -> str:
        return f"10.77.{self.number}.1"

    def lay(self) -> None:
        """Connect both hosts."""
        inner, outer = self._names
        _run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner)
        _run("ip", "link", "set", inner, "netns", str(self.other))
        for end, name in enumerate((outer, inner)):
            self._at(end, "ip", "address", "add", f"10.77.{self.number}.{end + 1}/24", "dev", name)
            self._at(end, "ip", "link", "set", name, "up")

    def cut(self) -> None:
        """Let nothing arrive any more; nobody is told."""
        self._address_to((NOBODY, NOBODY))

    def mend(self) -> None:
        """Let everything arrive again."""
        told = [self._at(end, "ip", "-json", "link", "show", name) for end, name in self._ends]
        here, there = (str(json.loads(one)[0]["address"]) for one in told)
        self._address_to((there, here))

    @property
    def _names(self) -> tuple[str, str]:
        return f"in{self.number}", f"out{self.number}"

    @property
    def _ends(self) -> Iterator[tuple[int, str]]:
        inner, outer = self._names
        return enumerate((outer, inner))

    def _address_to(self, macs: tuple[str, str]) -> None:
        for end, name in self._ends:
            to = f"10.77.{self.number}.{2 - end}"
            neighbour = ("ip", "neigh", "replace", to, "lladdr", macs[end], "dev", name)
            self._at(end, *neighbour, "nud", "permanent")

    def _at(self, end: int, *words: str) -> str:
        return _run(*(_there(self.other) if end else ()), *words)


@dataclass(frozen=True, slots=True)
class Hosts:
    """Both hosts as they run, and the cables between them."""

    nas: Sidecar
    car: Sidecar
    ann: Person
    cables: Mapping[str, Cable]
    database: str
    seconds: float

    @contextmanager
    def cut(self, *names: str) -> Iterator[None]:
        """Cut these cables for as long as was asked, at least as long as the caller takes."""
        for name in names:
            self.cables[name].cut()
        mended_at = time.monotonic() + self.seconds
        try:
            yield
            time.sleep(max(0.0, mended_at - time.monotonic()))
        finally:
            for name in names:
                self.cables[name].mend()

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database, on its own host."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(sql.encode(), values or None).fetchall()

    def row(self, title: str) -> tuple[Any, ...]:
        found = self.ask(ROW, title)
        return found[0] if found else ("none", 0, None)

    def begin(self, title: str) -> None:
        """Want a long file, and wait until a part of it is there."""
        self.ann.heart(self.ann.tracks()[title])
        wait_until(lambda: self.row(title)[1] > 4 * MIB, within_s=120, what=f"a part of {title}")

    def check(self, title: str) -> None:
        """Wait until a file is complete; it is there once, whole, and nothing else is."""
        wait_until(lambda: self.row(title)[0] == "completed", within_s=180, what=title)
        [(count, came)] = self.ask(COUNTS, title)
        whole = sha256(self.ann.bytes_of(self.ann.tracks()[title]))
        assert (count, came) == (1, 1), (title, count, came)
        assert sha256((self.car.stick / self.row(title)[2]).read_bytes()) == whole, title


def everything(hosts: Hosts) -> None:
    """Cut all three in the middle of a file: the lease returns, and it is finished afterwards."""
    title, seconds = LONG[0], hosts.seconds
    hosts.begin(title)
    with hosts.cut(*CABLES):
        _write_within(hosts, 20)
        if seconds > 45:
            wait_until(lambda: hosts.row(title)[0] == "pending", within_s=50, what="the lease")
            print("  its claim is back in the queue")
    hosts.check(title)


def database(hosts: Hosts) -> None:
    """Cut the database alone: fetching may go on, nothing is recorded twice."""
    title = LONG[1]
    hosts.begin(title)
    with hosts.cut("database"):
        _write_within(hosts, 20)
    hosts.check(title)


def redis(hosts: Hosts) -> None:
    """Cut Redis alone: the file arrives meanwhile, as nothing depends on it."""
    title = LONG[2]
    hosts.begin(title)
    with hosts.cut("redis"):
        hosts.check(title)
    wait_until(lambda: "answers again" in hosts.car.log.read_text(), what="Redis answers again")


def finishing(hosts: Hosts) -> None:
    """Cut the database while many files are being finished."""
    tracks = hosts.ann.tracks()
    for title in SHORT:
        hosts.ann.heart(tracks[title])
    arrived = "SELECT count(*) FROM downloads WHERE status = 'completed' AND title LIKE 'Short%'"
    wait_until(lambda: hosts.ask(arrived)[0][0] >= 5, within_s=60, what="the first of them")
    with hosts.cut("database"):
        left = len(SHORT) - hosts.ask(arrived)[0][0]
    assert left > 0
    print(f"  {left} of {len(SHORT)} were under way")
    for title in SHORT:
        hosts.check(title)


def writer(hosts: Hosts) -> None:
    """Cut off somebody who is in the middle of a change: others can write soon."""
    cable = hosts.cables["database"]
    url = hosts.car.environ["SIDECAR_DATABASE__URL"]
    with subprocess.Popen(
        [*_there(cable.other), sys.executable, "-c", WRITER, url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"in the middle\n"
        try:
            with hosts.cut("database"):
                _write_within(hosts, 20)
        finally:
            process.kill()
    assert hosts.ask("SELECT count(*) FROM devices WHERE name = 'Never'") == [(0,)]


SCENES: Mapping[str, Callable[[Hosts], None]] = {
    one.__name__: one for one in (everything, database, redis, finishing, writer)
}


def _write_within(hosts: Hosts, seconds: float) -> None:
    """Find out how soon this host can change something while the other one is cut off."""
    began = time.monotonic()

    def is_written() -> bool:
        try:
            with psycopg.connect(hosts.database, options="-c lock_timeout=1s") as connection:
                connection.execute(b"SELECT pg_advisory_xact_lock(%d)" % WRITER_LOCK)
        except psycopg.errors.LockNotAvailable:
            return False
        return True

    wait_until(is_written, within_s=hosts.seconds, what="a change on this host")
    took = time.monotonic() - began
    print(f"  others could write after {took:.1f} s", flush=True)
    assert took < seconds, took


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def _network(process: str) -> int:
    return Path(f"/proc/{process}/ns/net").stat().st_ino


def _there(process: int) -> tuple[str, ...]:
    return "nsenter", f"--net=/proc/{process}/ns/net"


def main() -> int:
    """Let the asked scenes happen; print what was seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scenes", nargs="*", choices=(*SCENES, []))
    parser.add_argument("--seconds", type=float, default=60.0, help="how long a cable is cut")
    asked = parser.parse_args()
    _run("ip", "link", "set", "lo", "up")
    with ExitStack() as stack:
        place = Path(tempfile.mkdtemp(prefix="hosts-"))
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        hosts = stack.enter_context(_started(place, asked.seconds))
        for name in asked.scenes or SCENES:
            print(f"{name}: cut for {asked.seconds:g} s", flush=True)
            began = time.monotonic()
            SCENES[name](hosts)
            print(f"  whole, once, {time.monotonic() - began:.1f} s after it began", flush=True)
        assert [*(hosts.car.stick / ".sidecar" / "parts").iterdir()] == []
    return 0


@contextmanager
def _started(place: Path, seconds: float) -> Iterator[Hosts]:
    of = dict.fromkeys(LONG, 24 * MIB) | dict.fromkeys(SHORT, 400_000)
    write_library(place / "library", of)
    stick = place / "stick"
    stick.mkdir()
    with ExitStack() as stack:
        host = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        stack.callback(host.wait)
        stack.callback(host.kill)
        own = _network("self")
        wait_until(lambda: _network(str(host.pid)) != own, what="another host")
        cables = {name: Cable(number, host.pid) for number, name in enumerate(CABLES, 1)}
        for one in cables.values():
            one.lay()
        _run(*_there(host.pid), "ip", "link", "set", "lo", "up")
        server = stack.enter_context(postgres.running(cables["database"].here))
        news = stack.enter_context(redis_server.running(cables["redis"].here))
        address = cables["jellyfin"].here
        jellyfin = stack.enter_context(
            DemoServer(place / "library", speaks=Version.V12_0, host=address)
        )
        database = server.make("hosts")
        shared = {
            "PATH": os.environ["PATH"],
            "HOME": str(place),
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "SIDECAR_JELLYFIN__URL": jellyfin.url,
            "SIDECAR_JELLYFIN__USERNAME": "ann",
            "SIDECAR_JELLYFIN__PASSWORD": PASSWORDS["ann"],
            "SIDECAR_SERVER__PORT": "0",
            "SIDECAR_TRANSFER__SPEED_LIMIT": str(SPEED),
            "SIDECAR_DEVICES": json.dumps(
                [{"name": "Car stick", "path": str(stick), "reserve": "1 MB"}]
            ),
            "SIDECAR_LOG__LEVEL": "DEBUG",
        }
        nas = Sidecar(
            shared
            | {
                "SIDECAR_DATABASE__URL": database,
                "SIDECAR_REDIS__URL": news.url.get_secret_value(),
                "SIDECAR_SERVER__DATA_DIR": str(place / "nas"),
                "SIDECAR_SERVER__MACHINE": "nas",
            },
            place / "log-nas",
            place / "none",
            program=PYTHON,
        )
        stack.callback(_stop, nas)
        nas.begin("--role", "web,watch")
        nas.wait_until_begun()
        nas.wait_for_sign_in("ann")
        nas.get_key("ann")
        (place / "car").mkdir()
        shutil.copy2(place / "nas" / "token.key", place / "car")
        car = Sidecar(
            shared
            | {
                "SIDECAR_DATABASE__URL": server.url_over_tcp("hosts"),
                "SIDECAR_REDIS__URL": news.url_over_tcp.get_secret_value(),
                "SIDECAR_SERVER__DATA_DIR": str(place / "car"),
                "SIDECAR_SERVER__MACHINE": "car",
            },
            place / "log-car",
            stick,
            program=(*_there(host.pid), *PYTHON),
        )
        stack.callback(_stop, car)
        car.begin("--role", "work")
        ann = stack.enter_context(_person(jellyfin.url))
        hosts = Hosts(nas, car, ann, cables, database, seconds)
        held = "SELECT count(*) FROM device_machines WHERE process_id IS NOT NULL"
        wait_until(lambda: hosts.ask(held) == [(1,)], within_s=60, what="the stick on its host")
        try:
            yield hosts
        except BaseException:
            for sidecar in (nas, car):
                print(f"--- {sidecar.log.name}", sidecar.log.read_text()[-6000:], sep="\n")
            raise


@contextmanager
def _person(url: str) -> Iterator[Person]:
    person = Person(url, "ann").sign_in()
    try:
        yield person
    finally:
        person.session.close()


def _stop(one: Sidecar) -> None:
    if one.process is not None and one.process.poll() is None:
        one.kill()


if __name__ == "__main__":
    sys.exit(main())
