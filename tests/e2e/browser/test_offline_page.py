"""The page "On the device" over the whole product, most of it while Jellyfin is away."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Person, Sidecar
from tests.fakes.servers.slow_line import SlowLine, wait_until
from tests.fakes.servers.syncthings import free_port
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


class Reader:
    """Somebody who reads pages and presses what is on them."""

    def __init__(self, running: Sidecar) -> None:
        self._url = running.url
        self._who = {"Authorization": f"Bearer {running.key}"}

    def page(self, path: str) -> str:
        answer = requests.get(self._url + path, headers=self._who, timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        return " ".join(answer.text.split())

    def link(self, path: str, within: str) -> str:
        """Return the address of a link of a page, by what follows it."""
        found = re.search(rf'href="([^"]*)"[^>]*>{within}', self.page(path))
        assert found, within
        return html.unescape(found[1])

    def press(self, download_id: int, **form: Any) -> str:  # noqa: ANN401 - requests' own arguments
        answer = requests.post(
            f"{self._url}/offline/{download_id}/act",
            data=form,
            headers=self._who,
            timeout=PATIENCE_S,
            allow_redirects=False,
        )
        assert answer.status_code == 303, answer.text
        # What tells there what was done is not of interest here.
        return re.sub(r"[?&]done=[\w-]+$", "", answer.headers["Location"])


def test_files_are_found_kept_and_removed_without_jellyfin(
    running: Sidecar, ann: Person, line: SlowLine, stick: Path
) -> None:
    reader = Reader(running)
    assert "Nothing of yours is on a device yet" in reader.page("/offline")
    ann.heart(ann.tracks()["Tone 1"])
    one = running.wait_for("Tone 1", "completed")
    file = stick / one["file_path"]
    line.lead_to(free_port())
    line.cut()

    album = reader.link("/offline?q=tone", "First Light")
    page = reader.page(album)

    for words in (">Tone 1<", "Available", "your favourite", one["file_path"], "on Car stick"):
        assert words in page
    assert "Everything here is kept" in reader.page("/offline/next")
    place = {"q": "tone", "at": album.rpartition("/")[2].partition("?")[0]}
    assert reader.press(one["id"], action="pin", **place) == album
    assert ">Unpin<" in reader.page(album)
    # The heart is not believed any more, but the pin is: it stays until that is taken back too.
    choice = f"favourites {one['item_id']}"
    reader.press(one["id"], action="leave_out", choice=choice, **place)
    assert "your favourite" not in reader.page(album)
    assert "Everything here is kept" in reader.page("/offline/next")
    reader.press(one["id"], action="let_go", **place)
    assert "No longer needed" in reader.page("/offline/next")

    assert file.exists()
    assert reader.press(one["id"], action="delete", **place) == "/offline?q=tone"
    assert not file.exists()
    wait_until(lambda: "Nothing matches" in reader.page("/offline?q=tone"), what="an empty page")
