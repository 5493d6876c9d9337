from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from sidecar.web.places import web_files
from tests.fakes.two_syncthings import OneSyncthing, two_syncthings

FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "these tests drive Debian's chromium: apt-get install chromium"
    vendor = web_files().static / "vendor" / "htmx.min.js"
    assert vendor.exists(), "the browser's files are missing: npm ci && node static/build.mjs"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def syncthings(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[OneSyncthing, OneSyncthing]]:
    """Two real Syncthings that share a folder: the sidecar's machine and Ann's phone."""
    with two_syncthings(tmp_path_factory.mktemp("syncthing")) as both:
        yield both
