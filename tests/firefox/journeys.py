"""The main journeys in Debian's Firefox, which `make firefox` runs: beside the tests, not in them.

Playwright drives only a Firefox of its own making, so Puppeteer drives this one by WebDriver BiDi.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path

import playwright
import pytest

from sidecar.demo.server.server import DemoServer
from tests.e2e.conftest import (
    PASSWORDS,
    TRACKS,
    Person,
    Sidecar,
    _forker,
    ann,
    jellyfin,
    line,
    running,
    sidecar,
    stick,
    write_library,
)
from tests.e2e.process.test_first_start import FirstStart, first
from tests.fakes.media.sounds import sound
from tests.fakes.servers.slow_line import SlowLine

__all__ = ["_forker", "ann", "first", "jellyfin", "line", "running", "sidecar", "stick"]
pytestmark = [pytest.mark.timeout(600)]

HERE = Path(__file__).parent
# Puppeteer wants a newer Node than Debian has; Playwright brings one.
NODE = Path(playwright.__file__).parent / "driver" / "node"
LONG_S = 60.0
# Long Noise takes ten seconds: time to press *Pause*.
SLOW = 4_000_000


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Media of which one can be heard."""
    folder = tmp_path_factory.mktemp("library")
    write_library(folder)
    number = [*TRACKS].index("Tone 2") + 1
    [file] = folder.rglob(f"*- {number}.flac")
    sound(file, seconds=LONG_S)
    return folder


def walk(journey: str, **facts: str) -> None:
    firefox = shutil.which("firefox-esr")
    assert firefox, "this drives Debian's Firefox: apt-get install firefox-esr"
    told = json.dumps({"journey": journey, "firefox": firefox, **facts})
    done = subprocess.run(
        [str(NODE), "journeys.mjs", told],
        cwd=HERE, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_listener_s_day(running: Sidecar, ann: Person, line: SlowLine) -> None:
    line.bytes_a_second = SLOW

    walk(
        "listener",
        url=running.url,
        name="ann",
        password=PASSWORDS["ann"],
        album=ann.item("First Light", "MusicAlbum"),
        heart=f"{ann.url}/UserFavoriteItems/{ann.tracks()['Long Noise']}",
        authorization=str(ann.session.headers["Authorization"]),
    )

    assert (running.by_title("Tone 2") or {})["status"] == "completed"


def test_an_admin_sets_it_up(first: FirstStart, jellyfin: DemoServer) -> None:
    # It starts anew after the set-up, and comes back where the browser is.
    with socket.create_server(("127.0.0.1", 0)) as free:
        first.port = free.getsockname()[1]
    first.start()

    walk(
        "setUp",
        url=first.page,
        jellyfin=jellyfin.url,
        name="admin",
        password=PASSWORDS["admin"],
    )
