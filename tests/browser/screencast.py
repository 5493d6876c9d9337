"""A short moving picture for the README: a heart is pressed, and the track is on the stick.

album page ─▶ heart ─▶ home page while it downloads ─▶ what is on the devices
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from time import monotonic

from PIL import Image
from playwright.sync_api import Page

SIZE = {"width": 1000, "height": 600}
PAUSE_MS = 250
QUALITY = 80


@dataclass
class Screencast:
    """Takes pictures of a page, each with the time for which it was seen."""

    page: Page
    frames: list[Image.Image] = field(default_factory=list)
    times_ms: list[int] = field(default_factory=list)

    def film(self, seconds: float) -> None:
        """Watch the page for so long."""
        until = monotonic() + seconds
        while (began := monotonic()) < until:
            shot = Image.open(BytesIO(self.page.screenshot())).convert("RGB")
            self.page.wait_for_timeout(PAUSE_MS)
            self._add(shot, round(1000 * (monotonic() - began)))

    def save(self, to: Path) -> None:
        """Write it as an animated WebP that begins anew at its end."""
        first, *others = self.frames
        first.save(
            to,
            save_all=True,
            append_images=others,
            duration=self.times_ms,
            loop=0,
            quality=QUALITY,
            method=4,
            # Each a picture of its own: what is made of differences smears.
            kmax=1,
        )

    def _add(self, shot: Image.Image, lasted_ms: int) -> None:
        if self.frames and self.frames[-1].tobytes() == shot.tobytes():
            self.times_ms[-1] += lasted_ms
            return
        self.frames.append(shot)
        self.times_ms.append(lasted_ms)


def film_heart(page: Page, url: str, album: str, to: Path) -> None:
    """Film how a track of an album comes to a stick; the page is that of somebody signed in."""
    page.set_viewport_size({"width": SIZE["width"], "height": SIZE["height"]})
    cast = Screencast(page)
    page.goto(f"{url}/library/{album}")
    page.locator(".track").nth(2).scroll_into_view_if_needed()
    cast.film(2.5)
    page.locator('.track .heart [aria-pressed="false"]').first.click()
    cast.film(2.5)
    page.goto(f"{url}/")
    cast.film(9)
    page.goto(f"{url}/offline")
    cast.film(4)
    cast.save(to)
