"""How long a replay of a year of 50,000 plays takes, and how much memory, by the command itself.

Four people who listen by different laws, a library of 15,000 files, four budgets with all runs.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sidecar.domain.replay.history import History
from tests.bench.sockets import memory
from tests.processes import list_children
from tests.simulation.laws import binges, discovery, past, seasons, zipf

SEED, ALBUMS, PACE = 7, 1250, 37
LOOK_EVERY_S = 0.2
PLAY = ("time", "user", "item_id", "seconds")
ITEM = ("title", "artist", "album", "genre", "size", "length")


@dataclass(frozen=True, slots=True)
class Year:
    """What a replay took.

    Attributes:
        memory: MB at most, of all its processes together.
    """

    plays: int
    wall: float
    cpu: float
    memory: float


def measure() -> Year:
    """Replay a year."""
    history = past([zipf, binges, discovery, seasons], SEED, albums=ALBUMS, pace=PACE)
    with TemporaryDirectory(prefix="sidecar-replay-") as there:
        write(history, Path(there) / "year.csv")
        command = [sys.executable, "-m", "sidecar", "replay", "--plays", "year.csv", "--json"]
        root = Path(__file__).parents[2]
        began = time.monotonic()
        child = subprocess.Popen(
            command,
            cwd=there,
            env={**os.environ, "PYTHONPATH": str(root), "SIDECAR_SERVER__DATA_DIR": there},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        most = 0.0
        while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            most = max(most, sum(_list_memory(child.pid)))
            time.sleep(LOOK_EVERY_S)
        wall = time.monotonic() - began
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"the replay failed with code {child.returncode}")
    return Year(len(history.plays), wall, usage.ru_utime + usage.ru_stime, most / 1000)


def write(history: History, path: Path) -> None:
    """Write a history as a file for `jellyfin-sidecar replay --plays`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow((*PLAY, *ITEM))
        for play in history.plays:
            item = history.items[play.item_id]
            told = (getattr(item, name) for name in ITEM)
            rows.writerow((play.began.isoformat(), play.user, item.id, play.seconds, *told))


def _list_memory(pid: int) -> Iterator[float]:
    """Yield the kB of a process and of those that it has started."""
    try:
        yield memory(pid)
    except (OSError, StopIteration):
        return
    for one in list_children(pid):
        yield from _list_memory(one)
