"""The log page shows what comes, masked and only what is asked for, to admins alone."""

from __future__ import annotations

import logging
import re

from tests.web.house import Browser, WebHouse


def test_the_log_is_followed_and_filtered(house: WebHouse, eve: Browser, ann: Browser) -> None:
    def log(level: int, text: str) -> None:
        record = logging.LogRecord("sidecar", level, __file__, 1, text, None, None)
        house.recent.emit(record)

    log(logging.INFO, "ann signed in <b>")
    log(logging.WARNING, "Car stick is away: Authorization: Bearer canary-4711")

    assert ann.get("/admin/log").status_code == 403
    page = eve.get("/admin/log").text
    assert "ann signed in &lt;b&gt;" in page
    assert "Car stick is away" in page
    assert "canary-4711" not in page
    assert polled(page) == "/admin/log"

    narrow = eve.get("/admin/log?level=WARNING&q=stick").text
    assert "ann signed in" not in narrow
    assert polled(narrow) == "/admin/log?level=WARNING&amp;q=stick"
    log(logging.ERROR, "the stick broke")
    assert "the stick broke" in eve.get("/admin/log?level=WARNING&q=stick").text
    assert polled(eve.get("/admin/log?still=yes").text) is None
    assert "ann signed in" in eve.get("/admin/log?level=LOUD").text
    assert "/admin/log" in eve.get("/admin").text


def test_items_have_their_titles(house: WebHouse, eve: Browser) -> None:
    known, unknown = house.add(1, title="Noon"), "f" * 32
    for item in (known.item_id, unknown):
        text = f"ann took the heart from {item}"
        house.recent.emit(logging.LogRecord("sidecar", logging.INFO, "", 1, text, None, None))

    page = eve.get("/admin/log").text

    assert "ann took the heart from “Noon”" in page
    assert known.item_id not in page
    assert f"ann took the heart from {unknown}" in page
    assert "ann took the heart from “Noon”" in eve.get("/admin/log?q=noon").text


def polled(page: str) -> str | None:
    """Return what the page asks for again and again; None if it stands still."""
    found = re.search(r'<section id="lines"[^>]*hx-get="([^"]*)" hx-trigger="every 3s"', page)
    return found and found[1]
