"""What was fetched is played from the device, and everything else through us, byte for byte."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.core import StartupPhase
from tests.e2e.conftest import PASSWORDS, TRACKS, Person, Sidecar
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

NOISE = "Long Noise"
BIG = TRACKS[NOISE]
Get = Callable[..., requests.Response]


@pytest.fixture
def get(running: Sidecar) -> Get:
    def ask(path: str, *, verb: str = "GET", **more: Any) -> requests.Response:  # noqa: ANN401 - requests' own arguments
        headers = {"Authorization": f"Bearer {running.key}", **more.pop("headers", {})}
        return requests.request(
            verb, f"{running.url}{path}", headers=headers, timeout=PATIENCE_S, **more
        )

    return ask


def fetched(running: Sidecar, ann: Person, title: str) -> dict[str, Any]:
    """Have a track on the stick."""
    answer = requests.post(
        f"{running.url}/api/v1/downloads",
        json={"item_id": ann.tracks()[title]},
        headers={"Authorization": f"Bearer {running.key}"},
        timeout=PATIENCE_S,
    )
    assert answer.status_code in {200, 201}, answer.text
    return running.wait_for(title, "completed")


def test_a_file_on_the_stick_is_played_in_any_part_byte_for_byte(
    running: Sidecar, ann: Person, get: Get, stick: Path
) -> None:
    one = fetched(running, ann, NOISE)
    whole = ann.bytes_of(one["item_id"])

    source = get(f"/api/v1/items/{one['item_id']}/source").json()

    assert source["source"] == "local"
    assert Path(source["path"]) == stick / one["file_path"]
    assert Path(source["path"]).read_bytes() == whole
    url = source["url"]
    assert url == f"/media/{one['id']}"
    first = get(url)
    assert (first.status_code, first.content == whole) == (200, True)
    assert first.headers["Content-Type"] == "audio/flac"
    assert first.headers["Cache-Control"].startswith("private")
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in first.headers["Content-Security-Policy"]
    for asked, start, end in [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-99999", 1000, 100_000),
        (f"bytes={BIG - 7}-", BIG - 7, BIG),
        ("bytes=-1000", BIG - 1000, BIG),
        (f"bytes=-{BIG * 2}", 0, BIG),
        (f"bytes=5-{BIG * 9}", 5, BIG),
    ]:
        part = get(url, headers={"Range": asked})
        assert part.status_code == 206, asked
        assert part.content == whole[start:end], asked
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{BIG}"
    past = get(url, headers={"Range": f"bytes={BIG}-"})
    assert (past.status_code, past.headers["Content-Range"]) == (416, f"bytes */{BIG}")
    etag = first.headers["ETag"]
    assert get(url, headers={"If-None-Match": etag}).status_code == 304
    kept = get(url, headers={"Range": "bytes=9-", "If-Range": etag})
    other = get(url, headers={"Range": "bytes=9-", "If-Range": '"another"'})
    assert (kept.status_code, kept.content == whole[9:]) == (206, True)
    assert (other.status_code, other.content == whole) == (200, True)
    head = get(url, verb="HEAD")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(BIG))


def test_what_is_not_on_the_stick_is_played_through_us_and_no_token_shows(
    running: Sidecar, ann: Person, get: Get
) -> None:
    item_id = ann.tracks()[NOISE]
    whole = ann.bytes_of(item_id)

    source = get(f"/api/v1/items/{item_id}/source").json()

    assert source == {"source": "remote", "stream_url": f"/media/item/{item_id}"}
    url = source["stream_url"]
    assert get(url).content == whole
    part = get(url, headers={"Range": "bytes=1000000-2000000"})
    assert (part.status_code, part.content == whole[1_000_000:2_000_001]) == (206, True)
    assert part.headers["Content-Range"] == f"bytes 1000000-2000000/{BIG}"
    assert get(url, headers={"Range": f"bytes={BIG}-"}).status_code == 416
    head = get(url, verb="HEAD")
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(BIG))
    assert get(f"/media/item/{'0' * 32}").status_code == 404
    assert requests.get(f"{running.url}{url}", timeout=PATIENCE_S).status_code == 401


def test_a_file_that_vanished_is_told_as_gone_and_played_from_jellyfin(
    running: Sidecar, ann: Person, get: Get, stick: Path
) -> None:
    one = fetched(running, ann, "Tone 1")
    item_id = one["item_id"]
    told = get(f"/api/v1/offline/{item_id}").json()
    assert (told["available"], told["url"]) == (True, f"/media/{one['id']}")
    assert told["files"][0]["reasons"][0]["account"] == "ann"
    found = get("/api/v1/offline", params={"q": "tone first"}).json()
    assert [(one["title"], one["available"]) for one in found["items"]] == [("Tone 1", True)]

    (stick / one["file_path"]).unlink()

    told = get(f"/api/v1/offline/{item_id}").json()
    assert (told["available"], told["url"]) == (False, None)
    assert told["text"] == "The file of Tone 1 is not on Car stick any more"
    gone = get(f"/media/{one['id']}")
    assert gone.status_code == 404
    assert gone.headers["Content-Type"] == "application/problem+json"
    assert gone.json()["detail"]
    assert get(f"/api/v1/items/{item_id}/source").json()["source"] == "remote"


def test_a_stick_that_is_pulled_out_is_no_place_to_play_from(
    running: Sidecar, ann: Person, get: Get, stick: Path
) -> None:
    one = fetched(running, ann, "Tone 2")
    stick.rename(stick.with_name("elsewhere"))

    told = get(f"/api/v1/offline/{one['item_id']}").json()

    assert told["available"] is False
    assert "Car stick" in told["text"]
    assert get("/api/v1/offline").json()["items"][0]["available"] is False
    assert get(f"/media/{one['id']}").status_code == 503
    stick.with_name("elsewhere").rename(stick)
    wait_until(lambda: get(f"/media/{one['id']}").status_code == 200, what="the stick")


def test_everything_on_the_stick_is_played_while_jellyfin_is_away(
    running: Sidecar, ann: Person, get: Get, jellyfin: DemoServer
) -> None:
    one = fetched(running, ann, "Tone 2")
    other = ann.tracks()["Tone 1"]
    jellyfin.enter_phase(StartupPhase.LOADING)

    assert get(f"/api/v1/offline/{one['item_id']}").json()["available"]
    source = get(f"/api/v1/items/{one['item_id']}/source").json()
    assert len(get(source["url"]).content) == TRACKS["Tone 2"]
    away = get(f"/api/v1/items/{other}/source")
    assert (away.status_code, get(f"/media/item/{other}").status_code) == (503, 503)
    assert "not ready" in away.json()["detail"]


def test_the_library_is_looked_through_and_its_buttons_follow(
    running: Sidecar, ann: Person, get: Get
) -> None:
    (music,) = get("/api/v1/items").json()["items"]
    (album,) = get("/api/v1/items", params={"parent": music["item_id"]}).json()["items"]
    tracks = get("/api/v1/items", params={"parent": album["item_id"]}).json()
    assert (music["kind"], album["kind"], tracks["total"]) == ("view", "album", len(TRACKS))
    assert [one["title"] for one in tracks["items"]] == list(TRACKS)
    assert {one["devices"][0]["state"] for one in tracks["items"]} == {"available"}
    found = get("/api/v1/items", params={"q": "tone", "kind": "track"}).json()
    assert [one["title"] for one in found["items"]] == ["Tone 1", "Tone 2"]

    one = fetched(running, ann, "Tone 1")

    button = get(f"/api/v1/items/{one['item_id']}").json()["devices"][0]
    assert (button["state"], button["download_id"]) == ("completed", one["id"])
    button = get(f"/api/v1/items/{album['item_id']}").json()["devices"][0]
    assert (button["state"], button["done"], button["total"]) == ("partly", 1, len(TRACKS))
    pressed = get(f"/api/v1/items/{one['item_id']}/heart", verb="PUT")
    assert pressed.json() == {"item_id": one["item_id"], "favourite": True}
    assert ann.has_heart(one["item_id"])
    assert get(f"/api/v1/items/{one['item_id']}/heart", verb="DELETE").ok
    assert not ann.has_heart(one["item_id"])


def test_somebody_else_s_files_are_neither_seen_nor_played(
    running: Sidecar, ann: Person, get: Get
) -> None:
    one = fetched(running, ann, "Tone 1")
    with requests.Session() as ben:
        entered = ben.post(
            f"{running.url}/api/v1/session",
            json={"username": "ben", "password": PASSWORDS["ben"]},
            timeout=PATIENCE_S,
        )
        assert entered.ok, entered.text

        def ask(path: str) -> requests.Response:
            return ben.get(f"{running.url}{path}", timeout=PATIENCE_S)

        assert ask("/api/v1/offline").json()["total"] == 0
        for foreign, unknown in [
            (f"/api/v1/offline/{one['item_id']}", f"/api/v1/offline/{'9' * 32}"),
            (f"/media/{one['id']}", "/media/999999"),
        ]:
            assert ask(foreign).status_code == ask(unknown).status_code == 404
            assert ask(foreign).content == ask(unknown).content
        source = ask(f"/api/v1/items/{one['item_id']}/source").json()
        assert source["source"] == "remote"
        # The cookie of the page is enough to play, as in an <audio> element.
        assert ask(source["stream_url"]).content == ann.bytes_of(one["item_id"])
        # That ann has it there is not told; ben may not download.
        assert ask(f"/api/v1/items/{one['item_id']}").json()["devices"][0]["state"] == "not-taken"


@contextmanager
def listening(running: Sidecar, path: str) -> Iterator[socket.socket]:
    """Somebody who asks for a file and takes the first bytes of it only."""
    place = urlsplit(running.url)
    with socket.create_connection((place.hostname, place.port or 80), timeout=PATIENCE_S) as player:
        player.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {running.key}"
        player.sendall(f"{request}\r\n\r\n".encode())
        yield player


def test_players_leave_room_for_the_page_and_for_each_other(
    running: Sidecar, ann: Person, get: Get
) -> None:
    one = fetched(running, ann, NOISE)
    url = f"/media/{one['id']}"
    before = connections(running)
    with ExitStack() as open_now:
        players = [open_now.enter_context(listening(running, url)) for _ in range(4)]
        for player in players:
            assert player.recv(12) == b"HTTP/1.1 200"
        # Four who play, and none of them holds the database.
        assert connections(running) < before + 4
        refused = get(url)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-streams")
        assert refused.headers["Retry-After"]
        assert get(url, verb="HEAD").status_code == 200
        # While all of them play on: who had to wait for one of them would wait for ever.
        with ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(lambda _: get("/api/v1/downloads").status_code, range(24)))
        assert set(pages) == {200}
    # Somebody who left is noticed when the next bytes cannot be sent.
    wait_until(lambda: get(url).status_code == 200, what="a place that was given back")


def test_a_player_does_not_keep_the_sidecar_from_stopping(
    running: Sidecar, ann: Person, get: Get
) -> None:
    one = fetched(running, ann, NOISE)
    other = ann.tracks()[NOISE]
    with (
        listening(running, f"/media/{one['id']}") as player,
        listening(running, f"/media/item/{other}") as second,
    ):
        assert player.recv(12) == second.recv(12) == b"HTTP/1.1 200"
        assert running.stop() == 0

    assert "Traceback" not in running.log.read_text()


def test_playing_a_file_is_a_use_of_it_once(running: Sidecar, ann: Person, get: Get) -> None:
    one = fetched(running, ann, NOISE)
    for start in range(0, BIG, BIG // 8):
        get(f"/media/{one['id']}", headers={"Range": f"bytes={start}-{start + 99}"})
    running.stop()

    assert uses(running) == {NOISE: 1}


def connections(running: Sidecar) -> int:
    """Return how often the sidecar has its database open."""
    assert running.process is not None
    found = 0
    for one in Path(f"/proc/{running.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found += one.readlink().name == "sidecar.db"
    return found


def uses(running: Sidecar) -> dict[str, int]:
    """Return the use counters that are in the database."""
    path = Path(running.environ["SIDECAR_SERVER__DATA_DIR"]) / "sidecar.db"
    with sqlite3.connect(path) as connection:
        return dict(connection.execute("SELECT title, last_used_seq FROM downloads"))
