"""An emptied device says so, on every page and in every number, until somebody answers."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.e2e.browser.test_pages import at_home
from tests.e2e.conftest import Person, Sidecar, write_library
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(400)]

TITLES = [f"Short {number}" for number in range(1, 13)]
ANYWHERE = re.compile("10 files are missing")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("short")
    write_library(folder, {title: 1000 + number for number, title in enumerate(TITLES)})
    return folder


def get(sidecar: Sidecar, path: str) -> Any:  # noqa: ANN401 - JSON
    answer = requests.get(
        f"{sidecar.url}/api/v1{path}",
        headers={"Authorization": f"Bearer {sidecar.key}"},
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def missing(sidecar: Sidecar) -> int:
    return int(get(sidecar, "/devices")["items"][0]["missing"])


def filled(sidecar: Sidecar, ann: Person) -> dict[str, dict[str, Any]]:
    for item_id in ann.tracks().values():
        ann.heart(item_id)
    wait_until(
        lambda: len(sidecar.downloads(status="completed")) == len(TITLES),
        within_s=90,
        what="all tracks",
    )
    return {one["title"]: one for one in sidecar.downloads()}


def test_an_emptied_stick_is_told_everywhere_until_somebody_answers(
    running: Sidecar,
    ann: Person,
    *,
    chromium: Browser,
    stick: Path,
    tmp_path: Path,
) -> None:
    rows = filled(running, ann)
    saved = tmp_path / "saved"
    shutil.copytree(stick, saved)

    with at_home(chromium, running.url, "ann", viewport={"width": 320, "height": 700}) as page:
        page.goto(f"{running.url}/devices")
        expect(page.get_by_text("Up to date")).to_be_visible()

        for title in TITLES[:10]:
            (stick / rows[title]["file_path"]).unlink()

        # Without a reload, on a page that has no list that follows.
        question = page.get_by_role("alert")
        expect(question).to_contain_text("Of 12 files on Car stick, 10 are missing", timeout=60_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        question.get_by_role("button", name="Download again").focus()
        page.reload()
        expect(page.get_by_text("10 files are missing", exact=True).last).to_be_visible()
        expect(page.get_by_role("link", name="Show what is missing Car stick")).to_be_visible()
        expect(page.get_by_text("Up to date")).to_have_count(0)
        for path in ("/downloads", "/library", "/offline", "/now", "/profile"):
            page.goto(running.url + path)
            expect(page.get_by_role("heading", name=ANYWHERE)).to_have_count(1)

        gone = rows[TITLES[0]]["item_id"]
        assert missing(running) == 10
        assert len(running.downloads(status="completed")) == 2
        assert {one["status"] for one in running.downloads(status="missing")} == {"missing"}
        offline = get(running, "/offline")
        assert (offline["total"], offline["missing"]) == (2, 10)
        assert get(running, f"/offline/{gone}")["available"] is False
        assert get(running, f"/items/{gone}/source")["source"] == "remote"
        told = json.loads(running.command("status", "--json").stdout)
        assert (told["devices"][0]["items"], told["devices"][0]["missing"]) == (12, 10)
        assert (told["downloads"]["completed"], told["downloads"]["missing"]) == (2, 10)
        wait_until(
            lambda: (
                rows[TITLES[0]]["file_path"]
                not in (stick / ".sidecar" / "manifest.json").read_text()
            ),
            within_s=90,
            what="a manifest of what is there",
        )

        # Part of it comes back: the question counts what is left.
        page.goto(f"{running.url}/devices")
        for title in TITLES[:4]:
            path = rows[title]["file_path"]
            shutil.copy2(saved / path, stick / path)
        expect(page.get_by_text("6 are missing")).to_be_visible(timeout=60_000)

        # Pulled: another state, and nothing is asked of what is not there; then it is back.
        stick.rename(tmp_path / "pulled")
        expect(page.get_by_role("heading", name=ANYWHERE)).to_have_count(0, timeout=60_000)
        assert missing(running) == 6
        (tmp_path / "pulled").rename(stick)
        expect(page.get_by_text("6 are missing")).to_be_visible(timeout=60_000)

        # Stopped meanwhile one more goes; started again, it is asked at once and stays asked.
        # No page is open then: each would ask for what has changed.
        page.goto("about:blank")
        assert running.stop() == 0
        (stick / rows[TITLES[0]]["file_path"]).unlink()
        running.start()
        page.goto(f"{running.url}/offline")
        expect(page.get_by_text("7 are missing")).to_be_visible(timeout=60_000)

        # Answered elsewhere: it goes by itself.
        device = rows[TITLES[0]]["device_id"]
        answer = requests.post(
            f"{running.url}/api/v1/devices/{device}/removals",
            json={"gone": False},
            headers={"Authorization": f"Bearer {running.key}"},
            timeout=PATIENCE_S,
        )
        assert answer.json() == {"files": 7}
        expect(page.get_by_role("heading", name=ANYWHERE)).to_have_count(0)
        wait_until(
            lambda: len(running.downloads(status="completed")) == len(TITLES),
            what="all of them again",
        )
        assert missing(running) == 0
