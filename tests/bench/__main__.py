"""Our whole path beside named peers, in alternating rounds of one run: `make bench`.

    make bench                          the full load: about 10 GiB of files, 14 GiB of disk
    make bench BENCH=--quick            a tenth of it, one round
    make bench BENCH="--row small-tls"  one row, or several
    make bench BENCH="--row hearts"     one that needs no peer: see `figures`
    make bench BENCH=--only-rclone      the named peer only

Every client is a process of its own and ends with its files on the disk (`sync` of that file
system where it does not sync by itself). Printed are medians, as ratios to rclone + sync: a table
of each row with all clients, and at the end one of all rows with their goals.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import measured as measuring
from tests.bench.figures import MEASURES, show
from tests.bench.timing import plain
from tests.bench.transfers.delay import delayed
from tests.bench.transfers.serving import MIB, Load, make, nginx
from tests.fakes.servers.syncthings import free_port

OURS, RCLONE = "sidecar (all of it)", "rclone + sync"
PYTHON, TRANSFERS = (sys.executable, "-m"), "tests.bench.transfers"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what is fetched and how, and the goals as ratios to rclone.

    Attributes:
        name: As it is chosen with `--row`.
        load: What is fetched.
        is_tls: Whether it is fetched over TLS.
        wall: The goal for the seconds it takes.
        cpu: The goal for the CPU seconds; None for no goal.
        one_way_s: How long each byte is on its way.
    """

    name: str
    load: Load
    is_tls: bool
    wall: float
    cpu: float | None
    one_way_s: float = 0.0

    @property
    def title(self) -> str:
        """What it is, for tables."""
        line = "TLS" if self.is_tls else "plain"
        if self.one_way_s:
            line += f", {2000 * self.one_way_s:g} ms there and back"
        return f"{self.load.count:,} x {round(self.load.size / MIB, 2):g} MiB, {line}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client fetches from and to."""

    base: str
    load: Load
    out: Path
    ca: Path | None
    work: Path

    @property
    def folder(self) -> str:
        """The folder of plain files, for clients that know no items."""
        return f"{self.base}/{self.load.name}/"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds, CPU seconds of the client, MiB of memory at most."""

    wall: float
    cpu: float
    memory: float

    @classmethod
    def middle(cls, runs: Sequence[Cost]) -> Cost:
        """Return the medians of some runs, and the most memory."""
        return cls(
            median(one.wall for one in runs),
            median(one.cpu for one in runs),
            max(one.memory for one in runs),
        )


Client = Callable[[Place], Sequence[str]]


def ours(at: Place) -> Sequence[str]:
    ca = ["--ca", str(at.ca)] if at.ca else []
    count, size = str(at.load.count), str(at.load.size)
    return [
        sys.executable,
        "-m",
        "tests.bench.transfers.loaded",
        at.base,
        str(at.out),
        count,
        size,
        *ca,
    ]


def rclone(at: Place) -> Sequence[str]:
    ca = f"--ca-cert {at.ca}" if at.ca else ""
    copy = f"rclone copy --config '' --http-url {at.folder} :http: {at.out} --transfers 4 {ca}"
    return _synced(f"{copy} -q", at)


def curl(at: Place) -> Sequence[str]:
    names = [f"{one}.flac" for one in at.load.ids]
    listing = at.work / "curl.txt"
    listing.write_text(
        "".join(f'url = "{at.folder}{one}"\noutput = "{at.out}/{one}"\n' for one in names)
    )
    ca = f"--cacert {at.ca}" if at.ca else ""
    return _synced(
        f"curl -sS --no-progress-meter --parallel --parallel-max 4 {ca} -K {listing}", at
    )


def aria2(at: Place) -> Sequence[str]:
    listing = at.work / "aria2.txt"
    listing.write_text("".join(f"{at.folder}{one}.flac\n" for one in at.load.ids))
    ca = f"--ca-certificate={at.ca}" if at.ca else ""
    quiet = "-q --file-allocation=none -j4 -x1 -s1"
    return _synced(f"aria2c --no-conf {quiet} {ca} -d {at.out} -i {listing}", at)


def bare(at: Place) -> Sequence[str]:
    ca = f"--ca {at.ca}" if at.ca else ""
    fetch = (
        f"{sys.executable} -m tests.bench.transfers.bare {at.folder} {at.out} {at.load.count} {ca}"
    )
    return _synced(fetch, at)


CLIENTS: Mapping[str, Client] = {
    OURS: ours,
    RCLONE: rclone,
    "curl --parallel + sync": curl,
    "aria2c -j4 + sync": aria2,
    "bare receive, write + sync": bare,
}


def rows(tenth: int) -> Sequence[Row]:
    """Return all rows, with all of their load or a part of it."""
    albums = Load("albums", 120 // tenth, 30 * MIB)
    episodes = Load("episodes", 40 // tenth, 90 * MIB)
    small = Load("small", 1000 // tenth, MIB)
    short = Load("short", 1000 // tenth, 200_000)
    many = Load("many", 5000 // tenth, 200_000)
    film = Load("film", 1, 2048 // tenth * MIB)
    return (
        Row("albums", albums, is_tls=False, wall=1.0, cpu=1.2),
        Row("albums-tls", albums, is_tls=True, wall=1.1, cpu=1.3),
        Row("small", small, is_tls=False, wall=1.3, cpu=2.5),
        Row("small-tls", small, is_tls=True, wall=1.3, cpu=2.5),
        Row("many", many, is_tls=False, wall=1.3, cpu=2.5),
        Row("many-tls", many, is_tls=True, wall=1.3, cpu=2.5),
        Row("episodes", episodes, is_tls=False, wall=1.0, cpu=1.2),
        Row("delayed", short, is_tls=False, wall=1.0, cpu=None, one_way_s=0.01),
        Row("delayed-tls", short, is_tls=True, wall=1.0, cpu=None, one_way_s=0.01),
        Row("film", film, is_tls=False, wall=0.9, cpu=None),
        Row("film-tls", film, is_tls=True, wall=1.1, cpu=1.3),
    )


def main() -> int:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="a tenth of the load, one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where files may be made (default: a new folder)")
    parser.add_argument(
        "--row",
        action="append",
        choices=[*(one.name for one in rows(1)), *MEASURES],
        help="only this row",
    )
    parser.add_argument("--only-rclone", action="store_true", help="no other peer")
    asked = parser.parse_args()
    clients = {OURS: ours, RCLONE: rclone} if asked.only_rclone else CLIENTS
    work = asked.work or Path(tempfile.mkdtemp(prefix="sidecar-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    chosen = [
        one for one in rows(10 if asked.quick else 1) if one.name in (asked.row or [one.name])
    ]
    found: dict[Row, tuple[Cost, Cost]] = {}
    # Once without a watch: the bytecode is written.
    warm_up = [*PYTHON, f"{TRANSFERS}.loaded", "--help"]
    subprocess.run(warm_up, env=_environment(work), check=True, stdout=subprocess.DEVNULL)
    try:
        for row in chosen:
            make(row.load, work / "www" / row.load.name)
            with ExitStack() as lines:
                plain_port, tls_port = free_port(), free_port()
                lines.enter_context(nginx(work, row.load.name, plain=plain_port, tls=tls_port))
                port = tls_port if row.is_tls else plain_port
                if row.one_way_s:
                    near = free_port()
                    lines.enter_context(delayed(near, to=port, one_way_s=row.one_way_s))
                    port = near
                base = f"{'https' if row.is_tls else 'http'}://127.0.0.1:{port}"
                rounds = 1 if asked.quick else asked.rounds
                found[row] = _compare(row, clients, work, base, rounds=rounds)
    finally:
        if asked.work is None:
            shutil.rmtree(work)
    figures = {name: ask() for name, ask in MEASURES.items() if name in (asked.row or MEASURES)}
    if found:
        _print_goals(found)
    show(figures)
    return 0


def _compare(
    row: Row, clients: Mapping[str, Client], work: Path, base: str, *, rounds: int
) -> tuple[Cost, Cost]:
    """Let all clients fetch in turn; return what we and rclone took."""
    ca = work / "cert.pem" if row.is_tls else None
    costs: dict[str, list[Cost]] = {name: [] for name in clients}
    names = list(clients)
    for number in range(rounds):
        # Each round in another order: nobody always goes first.
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            out = work / "out"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            os.sync()
            place = Place(base, row.load, out, ca, work)
            costs[name].append(_run(clients[name](place), row.load, out))
    middles = {name: Cost.middle(runs) for name, runs in costs.items()}
    _print(row, middles)
    return middles[OURS], middles[RCLONE]


def _run(command: Sequence[str], load: Load, out: Path) -> Cost:
    result = out.parent / "cost.json"
    measured = [sys.executable, "-I", "-S", measuring.__file__, str(result), *command]
    code = subprocess.run(measured, env=_environment(out.parent), check=False).returncode
    files = [one for one in out.rglob("*.flac") if one.stat().st_size == load.size]
    if code or len(files) != load.count:
        raise SystemExit(f"{command[0]} failed: {len(files)} of {load.count} files")
    return Cost(*json.loads(result.read_text()))


def _environment(work: Path) -> dict[str, str]:
    """Return an environment in which Python keeps its bytecode, as an installed program has it."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(work / "bytecode")}


def _print(row: Row, costs: Mapping[str, Cost]) -> None:
    peer, gib = costs[RCLONE], row.load.gib
    head = ("client", "wall", "to rclone", "CPU s/GiB", "to rclone", "memory")
    lines = [
        (
            name,
            f"{one.wall:.2f} s",
            f"{one.wall / peer.wall:.2f}",
            f"{one.cpu / gib:.2f}",
            f"{one.cpu / peer.cpu:.2f}",
            f"{one.memory:.0f} MiB",
        )
        for name, one in costs.items()
    ]
    plain(row.title, head, lines)


def _print_goals(found: Mapping[Row, tuple[Cost, Cost]]) -> None:
    """Print how we and rclone compare in each row, and whether its goals are met."""
    lines = []
    for row, (one, peer) in found.items():
        for what, ratio, goal in (
            ("wall", one.wall / peer.wall, row.wall),
            ("CPU", one.cpu / peer.cpu, row.cpu),
        ):
            if goal is not None:
                word = "met" if ratio <= goal else "missed"
                lines.append((f"{row.name}: {row.title}", what, f"{ratio:.2f}", f"{goal}", word))
    plain("All rows: ours / rclone + sync", ("work", "of", "ratio", "goal", ""), lines)


def _synced(command: str, at: Place) -> Sequence[str]:
    return ["sh", "-c", f"{command} && sync -f {at.out}"]


if __name__ == "__main__":
    sys.exit(main())
