"""Every control of every page of the running sidecar does something, for a person and an admin.

Each is used on a phone, and on a desktop what only that shows; `SIDECAR_CONTROLS=all` uses all of
them on both.
"""

from __future__ import annotations

import os

import pytest
import requests
from playwright.sync_api import Browser

from tests.browser.trouble import BrowserTrouble
from tests.e2e.browser.page_walk import Walker
from tests.e2e.browser.test_every_page import KEPT_OUT, PAGES
from tests.e2e.conftest import PASSWORDS, Person, Sidecar
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(900)]

WIDTHS = (360, 1280)
IS_TWICE = os.environ.get("SIDECAR_CONTROLS") == "all"
ENOUGH = 300  # controls: fewer would mean that the walk does not see them
JELLYFIN_PAGE = "404 GET .*/web/$"
SLOW = 200_000  # bytes a second: what runs still runs at the end


@pytest.fixture
def one_worker(sidecar: Sidecar) -> None:
    sidecar.environ["SIDECAR_TRANSFER__WORKERS"] = "1"


@pytest.fixture
def busy(
    one_worker: None, house: dict[str, str], sidecar: Sidecar, ann: Person, line: SlowLine
) -> dict[str, str]:
    """The same house with something running, waiting, paused and removed on two devices."""
    tracks = ann.tracks()
    sidecar.wait_for("Long Noise", "completed")
    line.bytes_a_second = SLOW
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {sidecar.key}"
        downloads = f"{sidecar.url}/api/v1/downloads"
        noises = [one["id"] for one in sidecar.downloads() if one["title"] == "Long Noise"]
        gone = [*noises, sidecar.wait_for("Tone 2", "completed")["id"]]
        for one in gone:
            session.delete(f"{downloads}/{one}", timeout=PATIENCE_S).raise_for_status()
        for one in noises:
            session.post(f"{downloads}/{one}/retry", timeout=PATIENCE_S).raise_for_status()
        wait_until(lambda: bool(sidecar.downloads(status="downloading")), what="one that runs")
        ann.heart(tracks["What?"])
        wait_until(lambda: len(sidecar.downloads(status="pending")) == 3, what="three that wait")
        last = sidecar.downloads(status="pending")[-1]["id"]
        session.post(f"{downloads}/{last}/pause", timeout=PATIENCE_S).raise_for_status()
    return house


def test_no_control_of_any_page_is_dead(
    busy: dict[str, str], sidecar: Sidecar, chromium: Browser, trouble: BrowserTrouble
) -> None:
    # The last thing that is sent ends the session: a page that is still open asks who is there.
    # The demo has no pages of Jellyfin.
    trouble.announce(r"404 GET .*/none$", KEPT_OUT, r"401 GET .*/api/v1/session$", JELLYFIN_PAGE)
    done: dict[tuple[str, int | None], set[str]] = {}
    walkers = []
    for name in ("ann", "admin"):
        context = chromium.new_context(
            viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
        )
        context.set_default_timeout(30_000)
        walker = Walker(context, sidecar.url, name, is_twice=IS_TWICE, done=done)
        walker.begin()
        walkers.append(walker)
        sign_in(walker)
        for path in PAGES:
            for width in WIDTHS:
                walker.walk(path.format(**busy), width, with_frame=path == PAGES[0])

    dead = [one for walker in walkers for one in walker.dead]
    sent: set[str] = set()
    refused = [one for walker in walkers for one in walker.send_noted(sent)]
    assert sum(one.used for one in walkers) > ENOUGH
    if wrong := dead + refused:
        pytest.fail("\n".join(wrong))


def sign_in(walker: Walker) -> None:
    with requests.Session() as session:
        session.post(
            f"{walker.url.rstrip('/')}/api/v1/session",
            json={"username": walker.who, "password": PASSWORDS[walker.who]},
            timeout=PATIENCE_S,
        ).raise_for_status()
        for one in session.cookies:
            walker.context.add_cookies(
                [{"name": one.name, "value": one.value or "", "url": walker.url}]
            )
