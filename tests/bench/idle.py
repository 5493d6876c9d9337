"""What a sidecar costs while nothing happens: a small server at home is to sleep then.

    python -m tests.bench.idle

It has ten devices, three people who are signed in to a demo server beside it, some files that are
there, and no open page.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from pydantic import SecretStr

from sidecar.assembly.store import DATABASE, KEY_FILE
from sidecar.clock import SystemClock
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.events import Bus
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import SERVER_ID
from sidecar.store.accounts.accounts import Account
from sidecar.store.database import Database
from sidecar.store.stores import Stores
from tests.bench.rows.household import cpu, with_bytecode
from tests.e2e.conftest import PASSWORDS, PYTHON, Person, Sidecar, write_library

DEVICES, PEOPLE = 10, 3
SETTLED_S, LOOKED_AT_S = 40.0, 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """CPU seconds in an hour, and how often a minute a thread was woken."""

    cpu_s: float
    wakeups: float


def main() -> None:
    """Measure and print."""
    found = measure()
    print(f"{found.cpu_s:.0f} CPU s in an hour, woken {found.wakeups:.0f} times a minute")


def measure() -> Found:
    """Let one stand still for a minute."""
    with TemporaryDirectory(prefix="sidecar-idle-") as folder:
        place = Path(folder)
        write_library(place / "library", {"Tone 1": 1000, "Tone 2": 2000})
        with DemoServer(place / "library", speaks=Version.V12_0) as jellyfin:
            _sign_in(place / "data", jellyfin.url)
            sidecar = Sidecar(_environment(place, jellyfin.url), place / "log", place, PYTHON)
            sidecar.start()
            try:
                return _look(sidecar)
            finally:
                sidecar.stop()


def _look(sidecar: Sidecar) -> Found:
    assert sidecar.process is not None
    pid = sidecar.process.pid
    time.sleep(SETTLED_S)
    before = cpu(pid), _count_wakeups(pid)
    time.sleep(LOOKED_AT_S)
    after = cpu(pid), _count_wakeups(pid)
    times_a_minute = 60 / LOOKED_AT_S
    return Found(
        (after[0] - before[0]) * 60 * times_a_minute, (after[1] - before[1]) * times_a_minute
    )


def _count_wakeups(pid: int) -> int:
    """Return how often all threads of a process have waited for something."""
    told = [one.read_text() for one in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(one.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for one in told)


def _sign_in(data: Path, url: str) -> None:
    """Store people as if they had signed in on the page."""
    data.mkdir()
    server_id = requests.get(f"{url}/System/Info/Public", timeout=10).json()["Id"]
    box, clock = TokenBox(data / KEY_FILE), SystemClock()
    with closing(Database.open(data / DATABASE, clock=clock)) as db:
        store = Stores(db, Bus(), clock)
        store.meta.set(SERVER_ID, server_id)
        for name in list(PASSWORDS)[:PEOPLE]:
            person = Person(url, name).sign_in()
            store.accounts.save(
                Account(
                    user_id=person.user_id,
                    name=name,
                    server_id=server_id,
                    is_admin=False,
                    may_download=True,
                    jellyfin_device_id=f"phone-{name}",
                    token_encrypted=box.encrypt(SecretStr(person.token)),
                    is_signed_in=True,
                    signed_in_at=datetime.now(UTC),
                )
            )
            person.session.close()


def _environment(place: Path, url: str) -> dict[str, str]:
    devices = [{"name": f"Stick {n}", "path": str(place / f"stick-{n}")} for n in range(DEVICES)]
    for one in devices:
        Path(one["path"]).mkdir()
    return with_bytecode() | {
        "PATH": os.environ["PATH"],
        "SIDECAR_JELLYFIN__URL": url,
        "SIDECAR_SERVER__PORT": "0",
        "SIDECAR_SERVER__DATA_DIR": str(place / "data"),
        "SIDECAR_DEVICES": json.dumps(devices),
    }


if __name__ == "__main__":
    main()
