"""The first set-up in the page: from an empty folder to somebody's own Jellyfin, without a file."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
import requests

from sidecar.demo.server.server import DemoServer
from tests.e2e.conftest import PASSWORDS
from tests.e2e.process.test_first_start import FirstStart, first
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import free_port
from tests.patience import PATIENCE_S

__all__ = ["first"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("has_ffmpeg", [True, False])
def test_an_admin_sets_up_while_the_demo_is_made_or_where_it_cannot_be(
    first: FirstStart, jellyfin: DemoServer, *, has_ffmpeg: bool
) -> None:
    first.port = free_port()
    if not has_ffmpeg:
        (first.folder / "bin" / "ffmpeg").write_text("#!/bin/sh\n")
    first.start()
    with requests.Session() as browser:

        def get(path: str) -> requests.Response:
            return browser.get(f"{first.page.rstrip('/')}{path}", timeout=PATIENCE_S)

        def send(path: str, **form: str) -> requests.Response:
            return browser.post(f"{first.page.rstrip('/')}{path}", data=form, timeout=PATIENCE_S)

        beginning = get("/").text
        assert "Set up with your own Jellyfin" in beginning
        assert ("The demo cannot start" in beginning) is not has_ffmpeg
        far = get("/setup").text
        assert "Where is your Jellyfin?" in far
        elsewhere = requests.get(
            f"{first.page.rstrip('/')}/setup",
            headers={"X-Forwarded-For": "9.9.9.9"},
            timeout=PATIENCE_S,
        )
        assert "another machine" in elsewhere.text
        assert "Sign in as its administrator" in send("/setup/server", address=jellyfin.url).text
        refused = send("/setup/sign-in", username="ann", password=PASSWORDS["ann"])
        assert "not an administrator" in refused.text

        done = send("/setup/sign-in", username="admin", password=PASSWORDS["admin"])
        assert "Your Jellyfin is connected" in done.text

        def is_set_up() -> bool:
            try:
                page = get("/devices/add")
            except requests.ConnectionError:
                return False
            return page.status_code == 200 and "Drives that are plugged in" in page.text

        wait_until(is_set_up, what="the sidecar with its own Jellyfin")
        over = get("/setup")
        assert (over.status_code, urlsplit(over.url).path) == (200, "/")
        assert re.search(jellyfin.url, get("/settings/jellyfin").text)
