"""Our whole path beside named peers, in alternating rounds of one run: `make bench`.

    make bench                    the full load: about 7 GiB of files, 14 GiB of disk
    make bench BENCH=--quick      a tenth of it, one round

Every client is a process of its own and ends with its files on the disk (`sync` of that file
system where it does not sync by itself). Printed are medians, as ratios to rclone + sync.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.serving import MIB, Load, make, nginx

PLAIN, TLS = 18471, 18472
RCLONE = "rclone + sync"


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


def ours(at: Place) -> Sequence[str]:
    ca = ["--ca", str(at.ca)] if at.ca else []
    count, size = str(at.load.count), str(at.load.size)
    return [sys.executable, "-m", "tests.bench.ours", at.base, str(at.out), count, size, *ca]


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
    fetch = f"{sys.executable} -m tests.bench.bare {at.folder} {at.out} {at.load.count} {ca}"
    return _synced(fetch, at)


CLIENTS: dict[str, Callable[[Place], Sequence[str]]] = {
    "sidecar (all of it)": ours,
    RCLONE: rclone,
    "curl --parallel + sync": curl,
    "aria2c -j4 + sync": aria2,
    "bare receive, write + sync": bare,
}


def main() -> int:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="a tenth of the load, one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where files may be made (default: a new folder)")
    asked = parser.parse_args()
    tenth = 10 if asked.quick else 1
    loads = [
        Load("albums", 120 // tenth, 30 * MIB),
        Load("small", 1000 // tenth, MIB),
        Load("film", 1, 2048 // tenth * MIB),
    ]
    work = asked.work or Path(tempfile.mkdtemp(prefix="sidecar-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    try:
        for load in loads:
            make(load, work / "www" / load.name)
            with nginx(work, load.name, plain=PLAIN, tls=TLS):
                for ca in (None, work / "cert.pem"):
                    _compare(load, ca, work, rounds=1 if asked.quick else asked.rounds)
    finally:
        if asked.work is None:
            shutil.rmtree(work)
    return 0


def _compare(load: Load, ca: Path | None, work: Path, *, rounds: int) -> None:
    base = f"https://127.0.0.1:{TLS}" if ca else f"http://127.0.0.1:{PLAIN}"
    costs: dict[str, list[Cost]] = {name: [] for name in CLIENTS}
    names = list(CLIENTS)
    for number in range(rounds):
        # Each round in another order: nobody always goes first.
        for name in names[number % len(names) :] + names[: number % len(names)]:
            out = work / "out"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            os.sync()
            costs[name].append(_run(CLIENTS[name](Place(base, load, out, ca, work)), load, out))
    _print(load, costs, "TLS" if ca else "plain")


def _run(command: Sequence[str], load: Load, out: Path) -> Cost:
    began = time.monotonic()
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    files = [one for one in out.rglob("*.flac") if one.stat().st_size == load.size]
    if child.returncode or len(files) != load.count:
        raise SystemExit(f"{command[0]} failed: {len(files)} of {load.count} files")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _print(load: Load, costs: dict[str, list[Cost]], line: str) -> None:
    peer = [median(getattr(one, key) for one in costs[RCLONE]) for key in ("wall", "cpu")]
    print(f"\n### {load.count} x {load.size // MIB} MiB, {line}\n")
    print("| client | wall | to rclone | CPU s/GiB | to rclone | memory |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, runs in costs.items():
        wall, cpu = median(one.wall for one in runs), median(one.cpu for one in runs)
        memory = max(one.memory for one in runs)
        print(
            f"| {name} | {wall:.2f} s | {wall / peer[0]:.2f} | {cpu / load.gib:.2f} "
            f"| {cpu / peer[1]:.2f} | {memory:.0f} MiB |",
            flush=True,
        )


def _synced(command: str, at: Place) -> Sequence[str]:
    return ["sh", "-c", f"{command} && sync -f {at.out}"]


if __name__ == "__main__":
    sys.exit(main())
