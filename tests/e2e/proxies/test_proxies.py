"""What holds behind nginx and Caddy, set up word for word as docs/install.md prints it."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest

from sidecar.process import limits
from tests.e2e.conftest import PASSWORDS, Person, Sidecar, sha256
from tests.e2e.proxies.conftest import (
    BASE_URL,
    BROWSER,
    FORGED,
    NAME,
    Proxy,
    browser,
)
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

NOISE = "Long Noise"


def addresses(proxy: Proxy) -> set[str]:
    """Return from where ann has signed in, as she reads it."""
    return {str(one["address"]) for one in proxy.ask("GET", "/api/v1/sessions").json()["items"]}


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-For": FORGED},
        {"x-forwarded-for": f"{FORGED}, 127.0.0.1"},
        {"X_Forwarded_For": FORGED},
        {"Forwarded": f"for={FORGED};proto=http;host=evil.example"},
        {"X-Real-IP": FORGED, "X-Client-IP": FORGED, "True-Client-IP": FORGED},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"},
        {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "http"},
    ],
    ids="+".join,
)
def test_nobody_forges_where_they_come_from(
    proxy: Proxy, product: Sidecar, forged: dict[str, str]
) -> None:
    before = product.log.read_text().count(f"ann opened a session from {BROWSER}\n")

    answer = proxy.sign_in(forged)

    if any("_" in name for name in forged) and answer.status_code == 400:
        # Caddy passes such a header on, and it is refused; nginx leaves it out.
        assert "underscore" in answer.text
    else:
        assert answer.ok, answer.text
        assert product.log.read_text().count(f"ann opened a session from {BROWSER}\n") == before + 1
        assert all("Secure" in one for one in answer.raw.headers.getlist("Set-Cookie"))
    assert FORGED not in product.log.read_text()
    assert addresses(proxy) == {BROWSER.rpartition(".")[0]}


def test_another_name_is_not_made_ours_by_a_header(proxy: Proxy) -> None:
    answer = proxy.sign_in(
        {"Host": "evil.example", "X-Forwarded-Host": f"{NAME}:{proxy.port}"},
    )

    assert "Set-Cookie" not in answer.headers
    assert "csrf" not in answer.text


def test_who_comes_past_the_proxy_is_not_believed(proxy: Proxy, product: Sidecar) -> None:
    with browser() as session:
        answer = session.post(
            f"{product.url}/api/v1/session",
            json={"username": "ann", "password": PASSWORDS["ann"]},
            headers={"X-Forwarded-For": FORGED, "X-Forwarded-Proto": "https"},
            timeout=PATIENCE_S,
        )

    assert answer.ok, answer.text
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert FORGED not in product.log.read_text()


def test_the_cookie_is_for_https_alone(proxy: Proxy) -> None:
    cookie = next(
        one
        for one in proxy.sign_in().raw.headers.getlist("Set-Cookie")
        if one.startswith("__Host-sidecar_session=")
    )

    assert "; Secure; HttpOnly; Path=/; SameSite=Lax" in cookie


def test_the_pages_stay_below_the_base_url(proxy: Proxy) -> None:
    page = proxy.ask("GET", "/")
    known = proxy.ask("GET", "", allow_redirects=False)

    assert page.ok
    assert f'href="{BASE_URL}/' in page.text
    assert 'href="/downloads' not in page.text
    # Both proxies lead only what is below it to the sidecar.
    assert known.headers.get("Location", f"{BASE_URL}/").endswith(f"{BASE_URL}/")


def test_a_page_is_compressed_once_where_our_own_asks(proxy: Proxy) -> None:
    """Neither proxy adds a coding of its own."""
    told = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}

    ours = proxy.ask("GET", "/devices", told)
    elsewhere = proxy.ask("GET", "/devices", told | {"Sec-Fetch-Site": "cross-site"})

    assert ours.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in elsewhere.headers
    assert "Car stick" in ours.text
    assert "Car stick" in elsewhere.text


def test_news_pass(proxy: Proxy, listener: Person) -> None:
    """A heart on the phone is news on the open page."""
    title = {"nginx": "Tone 1", "caddy": "Tone 2"}[proxy.name]
    with proxy.open_page() as page:
        page.next("snapshot")

        listener.heart(listener.tracks()[title])

        heard = ""
        while heard != title:
            _, news = page.next("download:completed", within_s=PATIENCE_S)
            heard = cast(dict[str, str], news["download"])["title"]


def test_large_files_pass(proxy: Proxy, product: Sidecar, listener: Person, library: Path) -> None:
    """From the device and from Jellyfin, whole and in part."""
    track = listener.tracks()[NOISE]
    whole = next(library.rglob("04 - 4.flac")).read_bytes()
    listener.heart(track)
    download = product.wait_for(NOISE, "completed")

    for path in (f"/media/{download['id']}", f"/media/item/{track}"):
        streamed = proxy.ask("GET", path)
        part = proxy.ask("GET", path, {"Range": "bytes=39000000-40000000"})

        assert (streamed.status_code, streamed.headers.get("Content-Encoding")) == (200, None)
        assert sha256(streamed.content) == sha256(whole)
        assert part.status_code == 206
        assert sha256(part.content) == sha256(whole[39_000_000:40_000_001])


def test_slow_clients_are_the_proxy_s(proxy: Proxy) -> None:
    """More requests that never end than there are workers, and the next one is answered."""
    trusted = ssl.create_default_context(cafile=proxy.authority)
    head = (
        f"POST {BASE_URL}/api/v1/session HTTP/1.1\r\nHost: {NAME}:{proxy.port}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    with ExitStack() as held:
        for _ in range(limits.WORKERS + 5):
            line = held.enter_context(trusted.wrap_socket(proxy.connect(), server_hostname=NAME))
            line.sendall(head.encode())

        assert proxy.ask("GET", "/sign-in").ok
