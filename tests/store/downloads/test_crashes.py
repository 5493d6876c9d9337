from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.domain.downloads.download import Status, Validator
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.devices.devices import Device, Devices
from sidecar.store.downloads.queue import Downloads
from tests.fakes.clock import START, FakeClock
from tests.patience import PATIENCE_S
from tests.store.examples import HASH, STICK, wanted

VALIDATOR = Validator("Sun, 01 Nov 2026 10:00:00 GMT", 1000)

# The life of one transfer, killed after its n-th step.
CHILD = """
import os, signal, sys
from pathlib import Path
from tests.fakes.clock import FakeClock
from tests.store.examples import BEGIN, HASH
from sidecar.domain.downloads.download import Validator
from sidecar.events import Bus
from sidecar.store.database import Database
from sidecar.store.downloads.queue import Downloads
from sidecar.store.downloads.transitions import WholeFile

clock = FakeClock()
them = Downloads(Database.open(Path(sys.argv[1]), clock=clock), Bus(), clock)
validator = Validator("Sun, 01 Nov 2026 10:00:00 GMT", 1000)
steps = [
    lambda: them.queue.claim_together(BEGIN, at_most=1),
    lambda: them.transitions.transfer_started(1, validator, 0),
    lambda: them.transitions.record_synced(1, 600),
    lambda: all(
        them.transitions.mark_all_finalizing([(1, WholeFile(1000, HASH, "audio/flac"), {})])
    ),
    lambda: them.transitions.mark_arrived(
        them.queries.get(1), size=1000, content_hash=HASH, mime_type="audio/flac"
    ),
]
for step in steps[: int(sys.argv[2])]:
    assert step()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("steps", "status", "validator", "held"),
    [
        (0, Status.PENDING, None, 0),
        (1, Status.PENDING, None, 0),
        (2, Status.PENDING, VALIDATOR, 0),
        (3, Status.PENDING, VALIDATOR, 600),
        (4, Status.DOWNLOADING, VALIDATOR, 1000),
        (5, Status.COMPLETED, None, 1000),
    ],
)
def test_killed_after_any_step_the_transfer_goes_on_from_there(
    tmp_path: Path, steps: int, status: Status, validator: Validator | None, held: int
) -> None:
    path = tmp_path / "sidecar.db"
    clock = FakeClock()
    db = Database.open(path, clock=clock)
    Devices(db).save(Device(STICK, "Car stick", "/media/car", START))
    Downloads(db, Bus(), clock).queue.add_all([wanted(1)])
    db.close()

    killed = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), str(steps)],
        check=False,
        timeout=PATIENCE_S,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )

    assert killed.returncode == -signal.SIGKILL
    db = Database.open(path, clock=clock)
    downloads = Downloads(db, Bus(), clock)
    to_settle = downloads.queue.recover()
    found = downloads.queries.get(1)
    db.close()
    assert found is not None
    assert (found.status, found.validator, found.bytes_downloaded) == (status, validator, held)
    assert [one.id for one in to_settle] == ([1] if steps == 4 else [])
    if steps >= 4:
        assert (found.file_size, found.content_hash) == (1000, HASH)
        assert found.mime_type == "audio/flac"
