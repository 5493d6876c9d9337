"""Which pages are compressed, and that they are the same pages."""

from __future__ import annotations

import gzip

import pytest
from werkzeug.test import Client

from tests.web.house import Browser

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def over_tls(client: Client, site: str | None) -> bool:
    """Whether a page is compressed over https, asked for by a page of a site, as a browser says."""
    told = {"Sec-Fetch-Site": site} if site else {}
    answer = client.get("/sign-in", headers=GZIP | told, base_url="https://localhost")
    assert answer.status_code == 200
    return "Content-Encoding" in answer.headers


def test_a_page_is_compressed_for_who_takes_it(ann: Browser) -> None:
    packed = ann.client.get("/devices", headers=GZIP)
    plain = ann.client.get("/devices")
    refused = ann.client.get("/devices", headers={"Accept-Encoding": "gzip;q=0"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "<h1>Devices</h1>" in gzip.decompress(packed.data).decode()
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    for one in (packed, plain, refused):
        assert set(one.vary) == {"Accept-Encoding", "Sec-Fetch-Site"}
        assert one.mimetype == "text/html"
        assert one.headers["Cache-Control"] == "no-store"
    for one in (plain, refused):
        assert "Content-Encoding" not in one.headers
        assert "<h1>Devices</h1>" in one.text


@pytest.mark.parametrize(
    ("site", "is_compressed"),
    [("same-origin", True), ("none", True), ("same-site", False), ("cross-site", False)],
)
def test_only_what_the_person_or_our_own_page_asks_for_is_compressed(
    client: Client, site: str, is_compressed: bool
) -> None:
    assert over_tls(client, site) is is_compressed
    assert not over_tls(client, None)
    plain = client.get("/sign-in", headers=GZIP | {"Sec-Fetch-Site": site})
    assert ("Content-Encoding" in plain.headers) is is_compressed
    assert "Content-Encoding" in client.get("/sign-in", headers=GZIP).headers


def test_what_shows_a_secret_once_is_not_compressed(ann: Browser) -> None:
    form = {"csrf": ann.csrf, "label": "A script"}

    made = ann.client.post("/profile/keys", data=form, headers=GZIP)

    assert made.status_code == 201
    assert "A script" in made.text
    assert "Content-Encoding" not in made.headers


def test_what_is_no_page_stays_as_it_is(ann: Browser) -> None:
    for path in ("/api/v1/session", "/api/v1/downloads", "/nothing", "/jellyfin-web/connect"):
        answer = ann.client.get(path, headers=GZIP)

        assert "Content-Encoding" not in answer.headers, path
