"""A sidecar that stands by on the same PostgreSQL: how soon it goes on where the other one ended.

Two processes with a data folder each, one device, one file on its way. The first is killed, or its
connections to the database are cut. Nothing may be lost or fetched or finished twice.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from tests import postgres
from tests.e2e.conftest import (
    MIB,
    PASSWORDS,
    TRACKS,
    Person,
    Sidecar,
    sha256,
    write_library,
)
from tests.e2e.forking import FORKER
from tests.fakes.servers.slow_line import SlowLine, wait_until

ROUNDS = 3
WHAT = {"killed": "the other one runs", "cut off": "the first has let go"}
TITLE = "Long Noise"
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds until another runs or the first lets go, and until the file is there; bytes again."""

    took_over_s: float
    arrived_s: float
    again: int


def main() -> None:
    """Run all rounds and print what was found."""
    place = Path(tempfile.mkdtemp(prefix="standby-"))
    try:
        write_library(place / "library")
        with (
            postgres.running() as server,
            DemoServer(place / "library", speaks=Version.V12_0) as jellyfin,
        ):
            for how, what in WHAT.items():
                found = [
                    _measure(place / f"{how[:3]}{number}", server, jellyfin, how)
                    for number in range(ROUNDS)
                ]
                print(
                    f"{how:>8}: {what} after"
                    f" {median(one.took_over_s for one in found):.1f} s,"
                    f" the file is whole after {median(one.arrived_s for one in found):.1f} s,"
                    f" at most {max(one.again for one in found) / MIB:.1f} MiB came twice"
                )
    finally:
        FORKER.close()
        shutil.rmtree(place, ignore_errors=True)


def _measure(place: Path, server: postgres.Server, jellyfin: DemoServer, how: str) -> Found:
    stick = place / "stick"
    stick.mkdir(parents=True)
    server.make(place.name)
    with SlowLine(int(jellyfin.url.rpartition(":")[2])) as line:
        first, other = (
            _sidecar(place, name, server.url(place.name), line, stick) for name in ("a", "b")
        )
        ann = Person(jellyfin.url, "ann").sign_in()
        try:
            return _take_over(first, other, ann, line, lambda: _end(first, how, server, place.name))
        finally:
            ann.heart(ann.tracks()[TITLE], on=False)
            ann.session.close()
            for one in (other, first):
                if one.process is not None and one.process.poll() is None:
                    one.stop()


def _sidecar(place: Path, name: str, database: str, line: SlowLine, stick: Path) -> Sidecar:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "SIDECAR_JELLYFIN__URL": f"http://127.0.0.1:{line.port}",
        "SIDECAR_JELLYFIN__USERNAME": "ann",
        "SIDECAR_JELLYFIN__PASSWORD": PASSWORDS["ann"],
        "SIDECAR_SERVER__PORT": "0",
        "SIDECAR_SERVER__DATA_DIR": str(place / name),
        "SIDECAR_DATABASE__URL": database,
        "SIDECAR_DEVICES": json.dumps(
            [{"name": "Car stick", "path": str(stick), "reserve": "1 MB"}]
        ),
    }
    return Sidecar(environ, place / f"log-{name}", stick)


def _end(first: Sidecar, how: str, server: postgres.Server, name: str) -> None:
    if how == "killed":
        first.kill()
    else:
        server.run("postgres", CUT.format(name=name))


def _take_over(
    first: Sidecar, other: Sidecar, ann: Person, line: SlowLine, end: Callable[[], object]
) -> Found:
    first.begin("--standby")
    first.wait_until_begun()
    first.wait_for_sign_in("ann")
    first.get_key("ann")
    other.key = first.key
    shutil.copytree(
        first.environ["SIDECAR_SERVER__DATA_DIR"],
        other.environ["SIDECAR_SERVER__DATA_DIR"],
        ignore=lambda _folder, names: set(names) - {"token.key"},
    )
    other.begin("--standby")
    wait_until(lambda: "standing by" in other.log.read_text(), what="the one that stands by")
    line.bytes_a_second = 10 * MIB
    track = ann.tracks()[TITLE]
    ann.heart(track)

    def is_on_its_way() -> bool:
        one = first.by_title(TITLE)
        return one is not None and one["bytes_downloaded"] > 7 * MIB

    wait_until(is_on_its_way, what="a part of the file")
    began = time.monotonic()
    end()
    if first.process is not None and first.process.poll() is None:
        # Both see the same stick here, so either may be the one that goes on.
        wait_until(lambda: "others go on" in first.log.read_text(), what="the first lets go")
    else:
        other.wait_until_begun()
    took_over = time.monotonic() - began
    line.bytes_a_second = None
    with psycopg.connect(first.environ["SIDECAR_DATABASE__URL"], autocommit=True) as rows:
        what = "SELECT status, file_path FROM downloads"
        wait_until(lambda: rows.execute(what).fetchall()[0][0] == "completed", within_s=120)
        arrived = time.monotonic() - began
        [(_, path)] = rows.execute(what).fetchall()
    assert sha256((other.stick / path).read_bytes()) == sha256(ann.bytes_of(track))
    assert list((other.stick / ".sidecar" / "parts").iterdir()) == []
    return Found(took_over, arrived, line.passed - TRACKS[TITLE])


if __name__ == "__main__":
    main()
