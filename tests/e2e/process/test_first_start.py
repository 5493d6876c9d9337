"""The demo's first start: its page is there before its media are, and stopping it is harmless."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from sidecar.demo.content.ffmpeg import ENCODERS
from tests.e2e.conftest import PASSWORDS
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(400)]

# Makes one file for each line it gets from the pipe, so that a test says how far the start is.
FFMPEG = """#!/bin/sh
if [ "$2" = -encoders ]; then printf '{encoders}'; exit 0; fi
for last; do :; done
printf half > "$last"
read -r _ < '{pipe}'
printf whole > "$last"
"""
TOTAL = 86
SOON_MS = 60_000


@dataclass
class FirstStart:
    """`jellyfin-sidecar run` in an empty folder, in a process group of its own."""

    folder: Path
    pipe: int
    port: int = 0
    process: subprocess.Popen[str] | None = None
    page: str = ""

    @property
    def library(self) -> Path:
        return self.folder / "data" / "demo" / "library"

    def start(self) -> None:
        environ = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "IMAGEIO_FFMPEG_EXE": str(self.folder / "bin" / "ffmpeg"),
            "HOME": str(self.folder),
            "SIDECAR_SERVER__PORT": str(self.port),
            "SIDECAR_SERVER__DATA_DIR": str(self.folder / "data"),
        }
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sidecar", "run", "--no-robot"],
                env=environ,
                cwd=Path(__file__).parents[3],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        said = iter(self.process.stdout.readline, "")
        self.page = next((line.strip() for line in said if line.startswith("http://")), "")
        assert self.page, self.log()

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def make(self, files: int) -> None:
        """Let so many more files be made."""
        os.write(self.pipe, b"\n" * files)

    def shows(self, done: int) -> bool:
        text = requests.get(self.page, timeout=PATIENCE_S).text
        return f'<progress max="{TOTAL}" value="{done}"' in text

    def signal(self, number: int) -> int:
        """Send it to the whole group, as a terminal does, and return the exit code."""
        assert self.process is not None
        assert self.process.stdout is not None
        os.killpg(self.process.pid, number)
        try:
            # On its own it ends with 1 after 9.5 s.
            return self.process.wait(PATIENCE_S)
        finally:
            self.process.stdout.close()

    def is_alive(self) -> bool:
        """Whether any process of the group is."""
        assert self.process is not None
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


@pytest.fixture
def first(tmp_path: Path) -> Iterator[FirstStart]:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    encoders = "".join(f" A..... {name} words\\n" for name in ENCODERS)
    program.write_text(FFMPEG.format(encoders=encoders, pipe=pipe))
    program.chmod(0o755)
    # Open for both: readers wait for what is written, and never see the end.
    held = os.open(pipe, os.O_RDWR)
    one = FirstStart(tmp_path, held)
    yield one
    if one.process is not None and one.process.poll() is None:
        one.signal(signal.SIGKILL)
    os.close(held)


def test_the_page_counts_while_the_demo_makes_its_media_and_leads_on_to_the_sign_in(
    first: FirstStart, chromium: Browser
) -> None:
    first.start()
    context = chromium.new_context(java_script_enabled=False, locale="de-DE")
    context.set_default_timeout(SOON_MS)
    page = context.new_page()
    failed: list[str] = []
    page.on("response", lambda one: failed.append(one.url) if one.status >= 400 else None)

    page.goto(first.page)

    expect(page.get_by_role("heading")).to_have_text("Jellyfin Sidecar startet")
    expect(page.get_by_text("0 von 86 Dateien sind da.")).to_be_visible(timeout=SOON_MS)
    first.make(5)
    expect(page.get_by_text("5 von 86 Dateien sind da.")).to_be_visible(timeout=SOON_MS)
    assert not (first.library / "library.json").exists()

    first.make(TOTAL - 5)

    page.wait_for_url(re.compile("/sign-in"), timeout=SOON_MS)
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Passwort").fill(PASSWORDS["ann"])
    page.get_by_role("button", name="Anmelden", exact=True).click()
    page.wait_for_url(re.compile(r":\d+/$"), timeout=SOON_MS)
    assert failed == []
    context.close()
    assert first.signal(signal.SIGTERM) == 0


def test_programs_are_told_to_ask_again(first: FirstStart) -> None:
    first.start()
    wait_until(lambda: first.shows(0), what="the first page")

    health = requests.get(f"{first.page}/health", timeout=PATIENCE_S)
    asked = requests.post(
        f"{first.page}/api/v1/session", json={"username": "ann"}, timeout=PATIENCE_S
    )

    assert (health.status_code, health.json()) == (503, {"status": "starting"})
    assert asked.status_code == 503
    assert asked.headers["Content-Type"] == "application/problem+json"
    assert int(asked.headers["Retry-After"]) > 0
    assert asked.json().items() >= {"code": "starting", "done": 0, "total": TOTAL}.items()

    first.make(TOTAL)

    def is_well() -> bool:
        return requests.get(f"{first.page}/health", timeout=PATIENCE_S).status_code == 200

    wait_until(is_well, what="a healthy sidecar")
    signed_in = requests.post(
        f"{first.page}/api/v1/session",
        json={"username": "ann", "password": PASSWORDS["ann"]},
        timeout=PATIENCE_S,
    )
    assert signed_in.status_code == 200, signed_in.text
    assert first.process is not None
    said = first.process.stdout or ()
    demo = next(line.split()[-1] for line in said if line.startswith("Demo Jellyfin:"))
    with requests.Session() as browser:
        browser.get(f"{first.page}/setup", timeout=30)
        taken = browser.post(f"{first.page}/setup/server", data={"address": demo}, timeout=30)
    assert "This is the demo" in taken.text
    assert first.signal(signal.SIGTERM) == 0


def test_ctrl_c_while_it_makes_its_media_leaves_nothing_half_and_the_next_start_goes_on(
    first: FirstStart,
) -> None:
    first.start()
    first.make(7)
    wait_until(lambda: first.shows(7), what="seven files")

    assert first.signal(signal.SIGINT) == 0, first.log()

    assert "the next start goes on with them" in first.log()
    assert "Traceback" not in first.log()
    assert not first.is_alive()
    made = [one for one in first.library.rglob("*") if one.is_file() and one.name != ".recipe"]
    assert [one.read_text() for one in made] == ["whole"] * 7

    first.start()
    wait_until(lambda: first.shows(7), what="the same seven files")
    first.make(TOTAL - 7)
    wait_until((first.library / "library.json").exists, what="the whole library")
    listed = json.loads((first.library / "library.json").read_text())
    assert all((first.library / one["path"]).read_text() == "whole" for one in listed["tracks"])
    assert first.signal(signal.SIGTERM) == 0
