"""A restart takes what the page has set, and puts a copy in the place of a damaged database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import requests

from sidecar.assembly.store import DATABASE
from sidecar.clock import SystemClock
from sidecar.config import JellyfinSettings, ServerSettings, Settings
from sidecar.runtime import Runtime
from sidecar.store.database import Database
from sidecar.store.meta import Meta
from tests.e2e.conftest import PASSWORDS, PYTHON, Sidecar
from tests.fakes.clock import HastyClock
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import free_port
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_restart_on_the_page_takes_what_waited_for_it(sidecar: Sidecar) -> None:
    sidecar.program = PYTHON
    sidecar.environ["SIDECAR_SERVER__PORT"] = str(free_port())
    sidecar.start()
    with requests.Session() as eve:
        signed_in = eve.post(
            f"{sidecar.url}/api/v1/session",
            json={"username": "admin", "password": PASSWORDS["admin"]},
            timeout=PATIENCE_S,
        ).json()

        def press(path: str, **form: str) -> requests.Response:
            form["csrf"] = signed_in["csrf"]
            return eve.post(f"{sidecar.url}{path}", data=form, timeout=PATIENCE_S)

        def group() -> str:
            try:
                return eve.get(f"{sidecar.url}/settings/downloads", timeout=PATIENCE_S).text
            except requests.ConnectionError:
                return ""

        saved = press("/settings/downloads", **{"transfer.workers": "5"})
        assert "Waits for a restart" in saved.text

        assert "goes on by itself" in press("/settings/restart").text

        wait_until(
            lambda: 'value="5"' in (told := group()) and "Waits for a restart" not in told,
            what="the restart",
        )
        assert sidecar.stop() == 0


def test_a_database_that_its_disk_has_damaged_since_the_last_end_gives_way_to_its_copy(
    tmp_path: Path,
) -> None:
    path = tmp_path / DATABASE
    db = Database.open(path, clock=SystemClock())
    for number in range(200):
        Meta(db).set(f"filler {number}", "x" * 1000)
    db.back_up(SystemClock())
    db.close()
    there = path.stat()
    with path.open("r+b") as file:
        file.seek(there.st_size - 60_000)
        file.write(b"\xff" * 20_000)
    os.utime(path, ns=(there.st_atime_ns, there.st_mtime_ns))
    settings = Settings(
        jellyfin=JellyfinSettings(url="http://127.0.0.1:9"),
        server=ServerSettings(data_dir=tmp_path, port=0),
    )

    with Runtime(settings, HastyClock(20)) as running:
        assert requests.get(f"{running.url}/sign-in", timeout=PATIENCE_S).ok
        assert running.restart_wanted.wait(PATIENCE_S)

    again = Database.open(path, clock=SystemClock())
    assert "took its place" in (again.recovery or "")
    assert Meta(again).get("filler 199")
    again.close()
