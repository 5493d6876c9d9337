"""`python -m tests.browser.screenshots FOLDER`: every page on phone and desktop, light and dark.

    demo Jellyfin + sidecar, as `run` starts them ─▶ a few wishes ─▶ Chromium ─▶ FOLDER/*.png

The pictures are for people to look at; nothing is compared. The library is made once and kept in
FOLDER/state. With `--readme FOLDER` those that the README and `docs/` show are written there, and
a moving one of how a favourite comes to the stick.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import requests
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from sidecar.demo.state.users import ACCOUNTS
from tests.browser.program import start_chromium
from tests.browser.screencast import film_heart
from tests.e2e.conftest import Person

SIZES = {"phone": (360, 780), "desktop": (1280, 860)}
PATHS = {
    "sign-in": "/sign-in",
    "home": "/",
    "downloads": "/downloads",
    "downloads-filter": "/downloads?kind=music&sort=title",
    "downloads-albums": "/downloads?tab=completed&albums=yes",
    "downloads-selected": "/downloads?albums=no",
    "downloads-menu": "/downloads?albums=no",
    "completed": "/downloads?tab=completed",
    "failed": "/downloads?tab=failed",
    "removed": "/downloads?tab=removed",
    "library": "/library",
    "library-search": "/library?q=the",
    "library-artists": "/library?shelf=artists",
    "library-albums": "/library?shelf=albums",
    "library-films": "/library?shelf=films",
    "library-album": "/library/{album}",
    "library-artist": "/library/{artist}",
    "library-playlist": "/library/{playlist}",
    "library-series": "/library/{series}",
    "library-track": "/library/{track}",
    "library-why": "/library/{track}/why",
    "activity": "/activity",
    "activity-plays": "/activity/plays",
    "activity-charts": "/activity/charts",
    "offline": "/offline",
    "offline-files": "/offline?look=files",
    "offline-album": "{tile}",
    "offline-next": "/offline/next",
    "offline-remove": "{tile}",
    "offline-empty": "/offline?q=nothing",
    "devices": "/devices",
    "device": "/devices/{device}",
    "found": "/devices/{device}/found",
    "heard": "/devices/{device}/heard",
    "now": "/now",
    "profile": "/profile",
    "admin": "/admin",
    "not-found": "/none",
}
# What is pressed before the picture is taken.
PRESSED = {
    "downloads-albums": [".group > summary"],
    "downloads-selected": [".pick input"],
    "downloads-menu": [".row .opens"],
    "offline-album": ["a[data-plays]"],
    # On a phone a row's actions are behind its button.
    "offline-remove": [".opens-more", "a[data-asks]"],
}
# What the README and the documentation show, cut to this height, in a few colours.
IN_DOCUMENTS = ("devices", "downloads", "library", "offline")
SHOWN_HEIGHT = 700
COLOURS = 128
HEART = "heart-to-stick.webp"
READY_WITHIN_S = 180.0
ENOUGH = 2


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--person", default="ann", help="who is signed in")
    parser.add_argument("--language", default="en")
    parser.add_argument("--only", default="", help="names of pages, parted by commas")
    parser.add_argument("--readme", type=Path, help="where the documents' pictures are")
    asked = parser.parse_args()
    folder: Path = asked.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set(filter(None, asked.only.split(",")))
    with _sidecar(folder / "state") as (url, jellyfin), sync_playwright() as playwright:
        browser = start_chromium(playwright)
        if asked.readme:
            _Shots(browser, url, asked.person, asked.language, size="desktop", dark=False).film(
                asked.readme / HEART
            )
        _wish(url, jellyfin, asked.person)
        for dark in (False, True):
            for size in SIZES:
                shots = _Shots(browser, url, asked.person, asked.language, size=size, dark=dark)
                shots.take(folder, wanted)
        browser.close()
    if asked.readme:
        for name in IN_DOCUMENTS:
            _shrink(folder / f"{name}-desktop-light.png", asked.readme / f"{name}.png")
    return 0


def _shrink(shot: Path, to: Path) -> None:
    """Write the upper part of a picture in a few colours: people download it with the page."""
    with Image.open(shot) as whole:
        height = min(whole.height, SHOWN_HEIGHT)
        upper = whole.convert("RGB").crop((0, 0, whole.width, height))
    upper.quantize(COLOURS).save(to, optimize=True)


@contextmanager
def _sidecar(state: Path) -> Iterator[tuple[str, str]]:
    devices = [
        {"name": "Car stick", "path": str(state / "stick"), "budget": "60 MB"},
        {"name": "Player", "path": str(state / "player")},
    ]
    for one in devices:
        Path(one["path"]).mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "SIDECAR_SERVER__DATA_DIR": str(state / "data"),
        "SIDECAR_SERVER__PORT": "0",
        "SIDECAR_TRANSFER__SPEED_LIMIT": "400 kB",
        "SIDECAR_DEVICES": json.dumps(devices),
    }
    program = subprocess.Popen(
        [sys.executable, "-m", "sidecar", "run"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert program.stdout is not None
        said: dict[str, str] = {}
        while "Jellyfin Sidecar" not in said:
            line = program.stdout.readline()
            assert line, "the sidecar did not start; see above"
            name, _, address = line.partition(":")
            said[name] = address.strip()
        yield said["Jellyfin Sidecar"], said["Demo Jellyfin"]
    finally:
        os.killpg(program.pid, signal.SIGTERM)
        program.wait(15)


def _wish(sidecar: str, jellyfin: str, person: str) -> None:
    """Some wishes, so that every tab has something to show."""
    for name, start in (("ann", 0), ("ben", 30)):
        listener = Person(jellyfin, name).sign_in()
        _signed_in(sidecar, name)
        for item_id in list(listener.tracks().values())[start : start + 14]:
            listener.heart(item_id)
    session = _signed_in(sidecar, person)
    found = _until_some_are_there(session, sidecar)
    by_status: dict[str, list[int]] = {}
    for one in found:
        by_status.setdefault(one["status"], []).append(one["id"])
    session.delete(f"{sidecar}/api/v1/downloads/{by_status['completed'][0]}", timeout=30)
    for waiting in by_status.get("pending", [])[-1:]:
        session.post(f"{sidecar}/api/v1/downloads/{waiting}/pause", timeout=30)


def _signed_in(sidecar: str, name: str) -> requests.Session:
    session = requests.Session()
    visit = session.post(
        f"{sidecar}/api/v1/session",
        json={"username": name, "password": _password(name)},
        timeout=30,
    )
    session.headers["X-Sidecar-CSRF"] = visit.json()["csrf"]
    return session


def _password(name: str) -> str:
    return next(one.password for one in ACCOUNTS if one.name == name)


def _until_some_are_there(session: requests.Session, sidecar: str) -> list[dict[str, Any]]:
    deadline = monotonic() + READY_WITHIN_S
    while True:
        answer = session.get(f"{sidecar}/api/v1/downloads?page_size=100", timeout=30)
        found: list[dict[str, Any]] = answer.json()["items"]
        there = [one for one in found if one["status"] == "completed"]
        if len(there) > ENOUGH:
            return found
        assert monotonic() < deadline, f"only {len(there)} files arrived"
        Event().wait(0.2)


class _Shots:
    """One size and one theme."""

    def __init__(
        self, browser: Browser, url: str, person: str, language: str, *, size: str, dark: bool
    ) -> None:
        self._browser, self._url, self._person, self._language = browser, url, person, language
        self._size, self._theme = size, "dark" if dark else "light"

    def film(self, to: Path) -> None:
        """Film how a favourite comes to the stick."""
        context = self._browser.new_context(locale=self._language, color_scheme="light")
        self._sign_in(context)
        page = context.new_page()
        found = page.request.get(f"{self._url}/api/v1/items?kind=album").json()["items"]
        film_heart(page, self._url, found[0]["item_id"], to)
        context.close()

    def take(self, folder: Path, wanted: set[str]) -> None:
        width, height = SIZES[self._size]
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if self._theme == "dark" else "light",
            locale=self._language,
            device_scale_factor=1,
        )
        self._shoot(context, "sign-in", folder)
        self._sign_in(context)
        for name in PATHS:
            if name != "sign-in" and (not wanted or name in wanted):
                self._shoot(context, name, folder)
        context.close()

    def _sign_in(self, context: BrowserContext) -> None:
        page = context.new_page()
        page.goto(f"{self._url}/sign-in")
        page.locator('input[name="username"]').fill(self._person)
        page.locator('input[name="password"]').fill(_password(self._person))
        page.keyboard.press("Enter")
        page.wait_for_url(f"{self._url}/")
        page.close()

    def _shoot(self, context: BrowserContext, name: str, folder: Path) -> None:
        page = context.new_page()
        path = PATHS[name]
        if "{device}" in path:
            devices = page.request.get(f"{self._url}/api/v1/devices").json()["items"]
            path = path.format(device=devices[0]["id"])
        for kind in ("album", "series", "track", "artist", "playlist"):
            if f"{{{kind}}}" in path:
                asked = f"{self._url}/api/v1/items?kind={kind}"
                found = page.request.get(asked).json()["items"][0]["item_id"]
                path = path.replace(f"{{{kind}}}", found)
        if path == "{tile}":
            page.goto(f"{self._url}/offline")
            path = page.locator(".tile a").first.get_attribute("href") or "/offline"
        page.goto(self._url + path)
        page.wait_for_load_state("load")
        for pressed in PRESSED.get(name, ()):
            # Whether there is an album of several files depends on what has come by then.
            shown = page.locator(pressed).filter(visible=True)
            if shown.count():
                shown.first.click()
                page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}-{self._size}-{self._theme}.png", full_page=True)
        page.close()


if __name__ == "__main__":
    sys.exit(main())
