"""Style sheets, scripts and icons: what goes over the wire, and how often."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping

import pytest
from werkzeug.test import Client

from sidecar.web.app import web_files
from tests.web.house import Browser, WebHouse

GZIP = {"Accept-Encoding": "gzip"}
# As a browser asks over TLS.
ANY = {"Accept-Encoding": "gzip, deflate, br, zstd"}
ASSET = re.compile(r'(?:src|href)="(/static/[^"#?]+)')
MOST_AT_FIRST = 60_000
MOST_LINES = 2500


def style(client: Client) -> str:
    page = client.get("/sign-in").text
    return str(next(one for one in ASSET.findall(page) if one.endswith("/vendor/style.css")))


def test_what_the_pages_load_is_named_by_its_content_and_kept_for_ever(client: Client) -> None:
    path = style(client)

    answer = client.get(path, buffered=True)

    assert re.fullmatch(r"/static/[0-9a-f]{16}/vendor/style\.css", path)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    plain = client.get("/static/vendor/style.css", buffered=True)
    assert plain.headers["Cache-Control"] == "no-cache"
    assert plain.data == answer.data


def test_what_a_page_of_another_version_asks_for_is_not_kept(client: Client) -> None:
    answer = client.get(f"/static/{'0' * 16}/vendor/style.css", buffered=True)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get(f"/static/{'0' * 16}/css/nothing.css").status_code == 404
    assert client.get(f"/static/{'0' * 16}/../../pyproject.toml").status_code == 404


def test_text_is_compressed_for_who_takes_it(client: Client) -> None:
    path = style(client)

    packed, plain = client.get(path, headers=GZIP, buffered=True), client.get(path, buffered=True)
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0"}, buffered=True)

    assert gzip.decompress(packed.data) == plain.data == refused.data
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data)
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
    again = client.get(
        path, headers={**GZIP, "If-None-Match": packed.headers["ETag"]}, buffered=True
    )
    assert (again.status_code, again.data) == (304, b"")


def test_who_takes_it_gets_what_the_build_has_packed(client: Client) -> None:
    path = style(client)
    packed = client.get(path, headers=GZIP, buffered=True)

    smaller = client.get(path, headers=ANY, buffered=True)
    none = client.get("/static/manifest.webmanifest", headers=ANY, buffered=True)

    assert smaller.headers["Content-Encoding"] == "br"
    assert smaller.data == (web_files().static / "vendor/style.css.br").read_bytes()
    assert len(smaller.data) < len(packed.data)
    assert smaller.headers["Vary"] == "Accept-Encoding"
    assert smaller.mimetype == "text/css"
    assert none.headers["Content-Encoding"] == "gzip"


def test_a_picture_is_sent_as_it_is(client: Client) -> None:
    answer = client.get("/static/icons/icon-192.png", headers=ANY, buffered=True)

    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


def test_the_head_of_a_file_is_told(client: Client) -> None:
    path = style(client)
    whole = client.get(path, buffered=True)

    head = client.head(path, buffered=True)

    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert client.head("/static/nothing.css").status_code == 404


@pytest.mark.parametrize("path", ["/", "/downloads?rows=100&albums=no", "/devices", "/offline"])
@pytest.mark.parametrize("how", [ANY, GZIP], ids=["https", "http"])
def test_a_first_visit_is_small(
    house: WebHouse, ann: Browser, path: str, how: Mapping[str, str]
) -> None:
    """A page with all that a browser fetches of ours before it shows it; covers come later."""
    with house.store.db.write():
        for number in range(100):
            house.add(number, album=f"Album {number // 7}", artist=f"Artist {number // 9}")
    page = ann.client.get(path, headers=how)
    text = gzip.decompress(page.data).decode()
    waiting = [*ASSET.findall(text), *re.findall(r'href="(/static/[^"#]+)#', text)]
    # Only one browser asks for that, when its page is put beside the apps.
    waiting = [one for one in waiting if "apple-touch" not in one]
    size = len(page.data)
    for one in set(waiting):
        answer = ann.client.get(one, headers=how, buffered=True)
        assert answer.status_code == 200, one
        size += len(answer.data)

    # One script, a style sheet for all pages and one for this, the icons; the page's own icon and
    # what is for installing it.
    of_all = {"app.js", "icon.svg", "icons.svg", "manifest.webmanifest", "style.css"}
    of_this = {one.rpartition("/")[2] for one in waiting} - of_all
    assert len(set(waiting)) == len(of_all | of_this)
    assert of_this in (set(), {f"{path[1:] or 'home'}.css"})
    assert size <= MOST_AT_FIRST, size


def test_a_script_waits_for_no_other() -> None:
    """It would be one more round trip; and there is no map of the sources beside it.

    What comes only when it is needed has the rest from what is there.
    """
    scripts = sorted((web_files().static / "vendor").glob("*.js"))

    assert {"app.js", "service-worker.js", "without-network.js"} <= {one.name for one in scripts}
    for script in scripts:
        source = script.read_text(encoding="utf-8")
        waits_for = set(re.findall(r"""\b(?:from|import)\s*["']([./][^"']*)""", source))
        may_ask_for = set(re.findall(r"""\bimport\(["']([^"']*)""", source))
        assert waits_for == ({"./app.js"} if script.name == "later.js" else set())
        assert may_ask_for == ({"./later.js"} if script.name == "app.js" else set())
        assert "sourceMappingURL" not in source, script


def test_our_own_scripts_stay_few() -> None:
    """Lines without comments and blank ones; what we did not write is not counted."""
    scripts = (web_files().static / "js").rglob("*.js")
    lines = [line.strip() for one in scripts for line in one.read_text("utf-8").splitlines()]

    code = [one for one in lines if one and not one.startswith(("//", "/*", "*"))]

    assert 0 < len(code) <= MOST_LINES
