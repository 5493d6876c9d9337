"""The button in Jellyfin's own web client: what its key opens, and for which pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from sidecar.domain.downloads.download import Status
from sidecar.web.app import WebOptions, web_files
from sidecar.web.security.auth import who
from sidecar.web.security.jellyfin_web import GROUP
from sidecar.web.security.permissions import Role
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK, track
from tests.services.rules.steered import row
from tests.web.house import ANN, EVE, PLAYER, Browser, WebHouse, web_house, with_player
from tests.web.roles import declared_roles
from tests.web.security.test_permissions import OPEN, url

JELLYFIN = "https://jellyfin.example.org"
ELSEWHERE = ("https://evil.example", "http://jellyfin.example.org", f"{JELLYFIN}:8443", "null")
ITEM = track(7).id
SHOW = f"/api/v1/jellyfin-web/items/{ITEM}"


@pytest.fixture
def house(quick_path: Path, clock: FakeClock) -> Iterator[WebHouse]:
    options = WebOptions(jellyfin_web_origins=(JELLYFIN, "http://localhost"))
    change = with_player(quick_path / "player")
    with web_house(quick_path, clock, change=change, options=options) as built:
        built.library(row(7))
        yield built


def connect(one: Browser, origin: str = JELLYFIN) -> str:
    """Say yes in the window that Jellyfin's page has opened, and return the key it hands over."""
    asked = one.get(f"/jellyfin-web/connect?origin={origin}&user={ANN.user_id}")
    assert origin in asked.text
    page = one.press("/jellyfin-web/connect", origin=origin, user=ANN.user_id)
    assert page.status_code == 201, page.text
    found = re.search(r'data-secret="([^"]+)" data-origin="([^"]+)"', page.text)
    assert found is not None
    assert found[2] == origin
    return found[1]


def ask(  # as a page of Jellyfin asks
    client: Client, key: str, path: str = SHOW, *, origin: str | None = JELLYFIN, **options: object
) -> TestResponse:
    headers = {"Authorization": f"Bearer {key}"} | ({"Origin": origin} if origin else {})
    return client.open(path, headers=headers, **options)  # type: ignore[arg-type]  # as werkzeug takes them


def test_an_item_is_downloaded_and_unpinned_where_jellyfin_shows_it(
    house: WebHouse, client: Client, ann: Browser
) -> None:
    key = connect(ann)

    def stands(answer: TestResponse) -> dict[str, tuple[str, bool]]:
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        return {one["device_name"]: (one["state"], one["pinned"]) for one in answer.json["devices"]}

    nowhere = {"Car stick": ("available", False), "Player": ("available", False)}
    assert stands(ask(client, key)) == nowhere
    begun = ask(client, key, f"{SHOW}/download", method="POST", json={"device_id": PLAYER})
    assert stands(begun) == nowhere | {"Player": ("waiting", True)}
    assert house.row(7, PLAYER).status is Status.PENDING
    cancelled = ask(client, key, f"{SHOW}/unpin", method="POST", json={"device_id": PLAYER})
    assert stands(cancelled) == nowhere

    ask(client, key, f"{SHOW}/download", method="POST", json={"device_id": STICK})
    there = house.add(7, status=Status.COMPLETED)
    assert stands(ask(client, key))["Car stick"] == ("completed", True)
    gone = ask(client, key, f"{SHOW}/unpin", method="POST", json={"device_id": STICK})
    # A rule of hers wants it as well: it stays, and nothing is left to unpin here.
    assert stands(gone)["Car stick"] == ("completed", False)
    assert house.path(there).exists()
    for device in (STICK, "9" * 32):
        again = ask(client, key, f"{SHOW}/unpin", method="POST", json={"device_id": device})
        assert again.status_code == 404
    refused = ask(client, key, f"{SHOW}/download", method="POST", json={"device_id": "other"})
    assert refused.status_code == 422
    assert "no such device" in refused.text


def test_its_key_opens_nothing_else_however_it_is_sent(
    house: WebHouse, client: Client, ann: Browser
) -> None:
    key = connect(ann)
    routes = {name: role for name, role in declared_roles().items() if name not in OPEN}

    for (endpoint, verb), role in sorted(routes.items()):
        if endpoint.startswith(f"{GROUP}."):
            continue
        assert role is not None
        assert role > Role.ANYBODY
        for origin in (JELLYFIN, "http://localhost", None):
            answer = ask(client, key, url(endpoint), origin=origin, method=verb)
            assert answer.status_code in {303, 401}, (endpoint, verb, origin)
            assert "Access-Control-Allow-Origin" not in answer.headers
    # Nor the live connection, nor as a cookie.
    service = house.services.web.sign_in
    assert who(service, cookie=None, authorization=f"Bearer {key}").person is None
    assert who(service, cookie=key, authorization=None).person is None


def test_it_is_no_admin_s_key_although_an_admin_made_it(house: WebHouse, eve: Browser) -> None:
    service = house.services.web.sign_in
    made = house.services.web.api_keys.make_key(EVE, "Jellyfin", origin=JELLYFIN)
    assert made is not None
    assert made[1].startswith("sidecarweb_")

    found = service.person_for_page(made[1], JELLYFIN)

    assert found is not None
    assert (found.user_id, found.is_admin) == (EVE.user_id, False)
    assert service.person_for_page(made[1], "http://localhost") is None
    assert "only for the download button there" in eve.get("/profile").text


def test_only_pages_of_the_listed_origins_are_answered(
    house: WebHouse, client: Client, ann: Browser
) -> None:
    key, whole = connect(ann), house.store.api_keys.create(ANN.user_id, "A program")[1]

    answer = ask(client, key)
    assert answer.headers["Access-Control-Allow-Origin"] == JELLYFIN
    assert "Origin" in answer.vary
    assert "Access-Control-Allow-Credentials" not in answer.headers
    allowed = client.options(SHOW, headers={"Origin": JELLYFIN})
    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert allowed.headers["Access-Control-Allow-Methods"] == "GET, POST"
    for origin in (*ELSEWHERE, None, "http://localhost"):
        assert ask(client, key, origin=origin).status_code == 401, origin
    for origin in ELSEWHERE:
        for refused in (
            ask(client, key, origin=origin),
            client.options(SHOW, headers={"Origin": origin}),
            client.options(f"{SHOW}/unpin", headers={"Origin": origin}),
        ):
            assert refused.status_code in {401, 403}, origin
            assert "Access-Control-Allow-Origin" not in refused.headers
    # Neither a session nor a program's key changes anything from there.
    body = {"device_id": STICK}
    by_cookie = ann.client.post(
        f"{SHOW}/download", json=body, headers={"Origin": JELLYFIN, "X-Sidecar-CSRF": ann.csrf}
    )
    assert by_cookie.status_code == 403
    assert ask(client, whole, f"{SHOW}/download", method="POST", json=body).status_code == 403
    # Both behind one name: the browser tells no origin with what only reads.
    ours = connect(ann, "http://localhost")
    same = {"Authorization": f"Bearer {ours}", "Sec-Fetch-Site": "same-origin"}
    assert client.get(SHOW, headers=same).status_code == 200
    assert client.get(SHOW, headers=same | {"Sec-Fetch-Site": "cross-site"}).status_code == 401


def test_the_key_ends_when_it_is_revoked_or_too_old_and_is_asked_for_by_its_owner_only(
    house: WebHouse, client: Client, ann: Browser
) -> None:
    keys = [connect(ann), connect(ann)]
    page = ann.get("/profile").text
    assert page.count("only for the download button there") == 2
    assert not any(one in page for one in keys)

    ann.press("/profile/keys/1/revoke")
    assert [ask(client, one).status_code for one in keys] == [401, 200]
    house.store.accounts.mark_signed_out(ANN.user_id)
    assert "Jellyfin has signed ann out" in ask(client, keys[1]).text
    house.clock.advance(366 * 24 * 3600)
    assert "signed ann out" not in ask(client, keys[1]).text
    ben = f"/jellyfin-web/connect?origin={JELLYFIN}&user={'b' * 32}"
    anybody = client.get(ben)
    assert anybody.status_code == 303
    assert "jellyfin.example.org" in anybody.location


def test_a_window_gives_no_key_to_other_origins_or_to_somebody_else_in_jellyfin(
    ann: Browser, client: Client
) -> None:
    for origin in ELSEWHERE:
        assert ann.get(f"/jellyfin-web/connect?origin={origin}").status_code == 404
        assert ann.press("/jellyfin-web/connect", origin=origin).status_code == 404
    there = f"/jellyfin-web/connect?origin={JELLYFIN}&user={'b' * 32}"
    assert "as somebody else in Jellyfin" in ann.get(there).text
    refused = ann.press("/jellyfin-web/connect", origin=JELLYFIN, user="b" * 32)
    assert refused.status_code == 409
    assert "data-secret" not in refused.text
    script = client.get("/jellyfin-web.js")
    assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert script.mimetype == "text/javascript"


def test_it_is_off_unless_the_settings_name_an_origin(quick_path: Path, clock: FakeClock) -> None:
    with web_house(quick_path, clock) as house:
        ann, anybody = house.come_in(ANN), Client(house.web.wsgi)
        key = house.store.api_keys.create(ANN.user_id, "Jellyfin", origin=JELLYFIN)[1]

        assert anybody.get("/jellyfin-web.js").status_code == 404
        assert ann.get(f"/jellyfin-web/connect?origin={JELLYFIN}").status_code == 404
        assert ask(anybody, key).status_code == 401
        assert anybody.options(SHOW, headers={"Origin": JELLYFIN}).status_code == 403


def test_the_script_says_everything_in_german_too() -> None:
    script = (web_files().static / "js" / "jellyfin-web.js").read_text()
    table, rest = script.split("    de: {")[1].split("\n    },\n", 1)
    states = re.search(r"const words = \{(.+?)\};", rest)
    sentences = re.search(r'const sentence = .+? \? "(.+?)" : "(.+?)";', rest)
    assert states is not None
    assert sentences is not None
    used = set(re.findall(r'\bsay\("(.+?)"', rest)) | set(sentences.groups())
    used |= set(re.findall(r': "(.+?)"', states[1]))

    assert used == set(re.findall(r'^\s{6}"(.+?)":', table, re.MULTILINE))
