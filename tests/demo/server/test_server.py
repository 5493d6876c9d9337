"""The life of the demo server: starting, stopping, restarting, files that come and go."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from sidecar.demo.protocol import websocket
from sidecar.demo.protocol.version import Version
from sidecar.demo.server import connection
from sidecar.demo.server import server as server_module
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.core import StartupPhase
from sidecar.demo.state.timing import Timing
from tests.contract.client import Client, Socket
from tests.fakes.libraries.tiny import TONE_1
from tests.fakes.servers.demo import QUICK, House, device_of
from tests.fakes.servers.slow_line import wait_until
from tests.patience import PATIENCE_S

AGES_S = 3600.0


def tone(client: Client, **query: str) -> str:
    return str(client.songs(searchTerm="Tone 1", **query)[0]["Id"])


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing end because its time is over: what ends was ended."""
    monkeypatch.setattr(connection.ConnectionHandler, "timeout", AGES_S)
    monkeypatch.setattr(websocket, "_READ_WITHIN_S", AGES_S)


@pytest.fixture
def long_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a stop wait as long as a socket is there."""
    monkeypatch.setattr(server_module, "_FAREWELL_S", AGES_S)


def told_until_now(socket: Socket) -> list[str]:
    """Return what a socket was told, up to the answer to what it says now."""
    socket.say("KeepAlive")
    socket.next("KeepAlive")
    return [one["MessageType"] for one in socket.heard]


def scanned(client: Client) -> None:
    """Have the library scanned, and return when everybody was told of it."""
    with client.socket() as socket:
        client.post("/Library/Refresh")
        socket.next("LibraryChanged")


def test_a_server_that_is_starting_says_so(house: House) -> None:
    server = house.server()
    server.enter_phase(StartupPhase.STARTING)

    health = requests.get(f"{server.url}/health", timeout=PATIENCE_S)
    public = requests.get(f"{server.url}/System/Info/Public", timeout=PATIENCE_S)
    other = requests.get(f"{server.url}/Users/Me", timeout=PATIENCE_S)

    assert (health.status_code, health.text) == (200, "Degraded")
    assert (public.status_code, public.headers["Retry-After"], public.text) == (503, "005", "")
    assert (other.status_code, other.headers["Content-Type"]) == (503, "text/html")


def test_a_server_that_is_almost_there_tells_of_itself_in_camel_case(house: House) -> None:
    server = house.server()
    server.enter_phase(StartupPhase.ALMOST)

    told = requests.get(f"{server.url}/System/Info/Public", timeout=PATIENCE_S).json()

    assert (told["productName"], told["startupWizardCompleted"]) == ("Jellyfin Server", False)
    assert (
        requests.get(f"{server.url}/Users/Me", timeout=PATIENCE_S).headers["Retry-After"] == "005"
    )


def test_a_server_that_is_loading_never_calls_a_good_token_bad(house: House) -> None:
    server = house.server()
    ann = device_of(server, "ann")
    server.enter_phase(StartupPhase.LOADING)

    waiting = ann.ask("GET", "/Users/Me")
    ann.token = "0" * 32

    assert (waiting.status_code, "Retry-After" in waiting.headers) == (503, False)
    assert ann.ask("GET", "/Users/Me").status_code == 401
    server.enter_phase(StartupPhase.READY)
    assert requests.get(f"{server.url}/health", timeout=PATIENCE_S).text == "Healthy"


def test_outside_its_base_address_it_sends_people_to_the_page(house: House) -> None:
    server = house.server(base_url="/jf")
    root = server.url.removesuffix("/jf")

    inside = requests.get(f"{server.url}/System/Info/Public", timeout=PATIENCE_S)
    outside = requests.get(f"{root}/System/Info/Public", timeout=PATIENCE_S, allow_redirects=False)
    followed = requests.get(f"{root}/System/Info/Public", timeout=PATIENCE_S)

    assert inside.json()["ProductName"] == "Jellyfin Server"
    assert (outside.status_code, outside.headers["Location"]) == (302, "/jf/web/")
    assert (followed.status_code, followed.headers["Content-Type"]) == (200, "text/html")
    assert requests.get(f"{root}/health", timeout=PATIENCE_S).text == "Healthy"
    with device_of(server, "ann").socket() as socket:
        assert socket.heard


def test_a_restart_keeps_tokens_hearts_playlists_and_rights(house: House, tmp_path: Path) -> None:
    with DemoServer(house.folder, speaks=Version.V12_0, state_dir=tmp_path) as first:
        ann, admin = device_of(first, "ann"), device_of(first, "admin")
        song = tone(ann)
        ann.post(f"/UserFavoriteItems/{song}")
        made = ann.post("/Playlists", {"Name": "Kept", "Ids": [song]})["Id"]
        policy = admin.get(f"/Users/{ann.user_id}")["Policy"] | {"MaxActiveSessions": 7}
        admin.post(f"/Users/{ann.user_id}/Policy", policy)
        identity = first.core.server_id

    second = house.server(state_dir=tmp_path)
    ann.url = second.url

    assert ann.get("/System/Info/Public")["Id"] == identity
    assert ann.get("/Users/Me")["Policy"]["MaxActiveSessions"] == 7
    assert ann.is_favourite(song)
    assert ann.get(f"/Playlists/{made}")["ItemIds"] == [song]
    assert ann.get("/Sessions") == []


@pytest.mark.parametrize("text", ["{", "[]", '{"server_id": "x"}'])
def test_a_damaged_memory_is_no_hindrance(house: House, tmp_path: Path, text: str) -> None:
    (tmp_path / "demo-server.json").write_text(text, encoding="utf-8")

    server = house.server(state_dir=tmp_path)

    assert device_of(server, "ann").get("/Items", recursive="true", includeItemTypes="Playlist")


def test_what_it_keeps_is_nobody_elses_to_read(house: House, tmp_path: Path) -> None:
    with DemoServer(house.folder, speaks=Version.V12_0, state_dir=tmp_path) as server:
        device_of(server, "ann")

    [kept] = tmp_path.glob("*.json")
    assert kept.stat().st_mode & 0o077 == 0


def test_a_rebuilt_server_is_another_one_with_the_same_items(house: House) -> None:
    first, second = house.server(), house.server()
    ann, again = device_of(first, "ann"), device_of(second, "ann")

    assert ann.get("/System/Info/Public")["Id"] != again.get("/System/Info/Public")["Id"]
    assert ann.user_id != again.user_id
    assert tone(ann) == tone(again)


def test_a_file_that_is_away_is_404_while_its_item_is_there(house: House, speaks: Version) -> None:
    ann = device_of(house.server(speaks), "ann")
    song = tone(ann)
    (house.folder / TONE_1).unlink()

    away = ann.ask("GET", f"/Items/{song}/Download")

    assert (away.status_code, away.text) == (404, "Error processing request.")
    assert away.headers["Content-Type"] == "text/plain"
    assert ann.ask("GET", f"/Items/{song}").status_code == 200


def test_a_replaced_file_is_served_as_it_is_and_told_as_it_was(house: House) -> None:
    server = house.server()
    admin = device_of(server, "admin")
    song = tone(admin)

    def told() -> int:
        [one] = admin.get("/Items", ids=song, fields="MediaSources")["Items"]
        return int(one["MediaSources"][0]["Size"])

    before = told()
    (house.folder / TONE_1).write_bytes(b"y" * 10_000)
    length = admin.ask("GET", f"/Items/{song}/Download").headers["Content-Length"]

    assert (length, told()) == ("10000", before)
    scanned(admin)
    assert told() == 10_000


def test_a_scan_tells_of_a_moved_file_as_one_that_went_and_one_that_came(house: House) -> None:
    server = house.server()
    admin = device_of(server, "admin")
    old = tone(admin)
    admin.post(f"/UserFavoriteItems/{old}")
    (house.folder / TONE_1).rename(house.folder / f"{TONE_1}.moved.flac")

    with admin.socket() as socket:
        admin.post("/Library/Refresh")
        told = socket.next("LibraryChanged")

    moved = tone(admin)
    assert (told["ItemsRemoved"], told["ItemsAdded"]) == ([old], [moved])
    assert admin.is_favourite(moved)
    assert admin.ask("GET", f"/Items/{old}").status_code == 404


def test_the_scan_is_a_task_that_says_when_it_was_done(house: House) -> None:
    server = house.server()
    admin = device_of(server, "admin")
    (house.folder / TONE_1).write_bytes(b"changed")
    scanned(admin)

    [task] = admin.get("/ScheduledTasks")

    assert (task["State"], task["LastExecutionResult"]["Status"]) == ("Idle", "Completed")
    assert admin.get(f"/ScheduledTasks/{task['Id']}") == task


@pytest.mark.usefixtures("endless", "long_farewell")
def test_stopping_says_good_bye_and_is_quick(house: House) -> None:
    before = set(threading.enumerate())
    server = house.server()
    ann = device_of(server, "ann")
    with ann.socket() as socket:
        server.stop()
        socket.next("ServerShuttingDown")
        with pytest.raises(ConnectionClosed):
            socket.until_closed()

    # The test's own client has a keepalive thread that ends in its own time.
    left = {one.name for one in set(threading.enumerate()) - before}
    assert not {name for name in left if "keepalive" not in name}
    with pytest.raises(requests.ConnectionError):
        ann.ask("GET", "/Users/Me")


@pytest.mark.usefixtures("endless")
def test_stopping_cuts_a_download_that_nobody_reads(house: House) -> None:
    os.truncate(house.folder / TONE_1, 64 * 1024 * 1024)
    server = house.server()
    ann = device_of(server, "ann")
    headers = {"Authorization": ann.header()}
    address = f"{server.url}/Items/{tone(ann)}/Download"
    with requests.get(address, headers=headers, stream=True, timeout=PATIENCE_S) as download:
        server.stop()

        with pytest.raises(requests.RequestException):
            _ = download.content


def test_a_request_whose_body_is_cut_off_does_nothing(house: House) -> None:
    server = house.server()
    ann, there = device_of(server, "ann"), {*server.core.playlists.by_id}
    head = (
        "POST /Playlists?name=Cut HTTP/1.1",
        "Host: demo",
        f"Authorization: {ann.header()}",
        "Content-Type: application/json",
        "Content-Length: 100",
    )
    with socket.create_connection(
        ("127.0.0.1", urlsplit(server.url).port or 0), PATIENCE_S
    ) as line:
        line.sendall("\r\n".join([*head, "", "{}"]).encode())
        line.shutdown(socket.SHUT_WR)

        assert line.recv(1024).startswith(b"HTTP/1.1 400")
    assert {*server.core.playlists.by_id} == there


def test_a_quick_connect_code_expires(house: House) -> None:
    server = house.server(timing=Timing(quick_connect_s=0.0))
    guest = Client(server.url, "guest", "Test")

    begun = guest.post("/QuickConnect/Initiate")

    answer = guest.ask("GET", "/QuickConnect/Connect", query={"secret": begun["Secret"]})
    assert answer.status_code == 404
    ann = device_of(server, "ann")
    assert ann.ask("POST", f"/QuickConnect/Authorize?code={begun['Code']}").status_code == 404


def test_a_silent_socket_goes_deaf_in_version_12_and_stays_open(
    house: House, speaks: Version
) -> None:
    server = house.server(speaks, timing=Timing(user_data_s=0.05, keep_alive_s=0.2))
    sockets = server.core.sockets
    ann = device_of(server, "ann", "silent")
    awake = device_of(server, "ann", "awake")
    song = tone(ann)

    with ann.socket() as silent:
        [client] = sockets.clients
        watch = ("watch", id(client))
        wait_until(
            lambda: client.is_deaf if speaks.goes_deaf else watch not in server.core.scheduler._due
        )
        sockets._keep_alive_s = AGES_S
        with awake.socket() as socket:
            ann.post(f"/UserFavoriteItems/{song}")
            socket.next("UserDataChanged")
            silent.say("KeepAlive")
            assert len(sockets.clients) == 2
        server.stop()
        with pytest.raises(ConnectionClosed):
            silent.until_closed()

    kinds = {one["MessageType"] for one in silent.heard}
    assert "ForceKeepAlive" in kinds
    assert ("UserDataChanged" in kinds) == (not speaks.goes_deaf)


def test_a_session_with_two_sockets_is_told_once(house: House) -> None:
    ann = device_of(house.server(), "ann")

    with ann.socket() as first, ann.socket() as second:
        first.say("KeepAlive")
        first.next("KeepAlive")
        second.say("KeepAlive")
        second.next("KeepAlive")
        ann.post(f"/UserFavoriteItems/{tone(ann)}")
        second.next("UserDataChanged")

        assert "UserDataChanged" not in told_until_now(first)


def test_one_token_can_be_several_devices(house: House) -> None:
    server = house.server()
    ann = device_of(server, "ann")
    stick, player = (Client(server.url, one, "Test") for one in ("stick", "player"))
    stick.token = player.token = ann.token

    with stick.socket() as first, player.socket() as second:
        target = stick.session()
        ann.post(f"/Sessions/{target['Id']}/Playing", itemIds=tone(ann), playCommand="PlayLast")

        assert first.next("Play")["PlayCommand"] == "PlayLast"
        assert "Play" not in told_until_now(second)


def test_who_subscribes_is_told_nothing_until_something_happens(house: House) -> None:
    server = house.server()
    ann, player = device_of(server, "ann"), device_of(server, "ann", "player")

    with ann.socket() as socket:
        socket.say("SessionsStart", "0,1500")
        socket.say("KeepAlive")
        socket.next("KeepAlive")
        kinds = [one["MessageType"] for one in socket.heard]
        player.report("", tone(ann))
        told = socket.next("Sessions")

    assert kinds == ["ForceKeepAlive", "KeepAlive"]
    assert any("NowPlayingItem" in one for one in told)


def test_who_subscribes_twice_is_told_twice(house: House) -> None:
    server = house.server(timing=Timing(progress_tick_s=60))
    ann, player = device_of(server, "ann"), device_of(server, "ann", "player")

    with ann.socket() as socket:
        socket.say("SessionsStart", "0,1500")
        socket.say("SessionsStart", "0,1500")
        socket.say("KeepAlive")
        socket.next("KeepAlive")
        player.report("", tone(ann))

        assert socket.next("Sessions") == socket.next("Sessions")


def test_the_position_goes_on_by_itself_but_not_in_a_pause(house: House) -> None:
    server = house.server(timing=Timing(progress_tick_s=0.02))
    ann, player = device_of(server, "ann"), device_of(server, "ann", "player")
    song = tone(ann)

    with ann.socket() as socket:
        socket.say("SessionsStart", "0,20")
        player.report("", song)
        positions: list[int] = []
        while len(positions) < 4:
            told = socket.next("Sessions")
            playing = [one for one in told if "NowPlayingItem" in one]
            positions += [one["PlayState"]["PositionTicks"] for one in playing]
        player.report("/Progress", song, PositionTicks=5, IsPaused=True)
        paused = player.session()

    assert positions == sorted(positions)
    assert positions[-1] > 0
    assert paused["PlayState"]["PositionTicks"] == 5
    assert "LastPausedDate" in paused


def test_a_player_that_went_away_is_stopped_where_it_would_be(house: House) -> None:
    server = house.server(timing=Timing(user_data_s=0.05, idle_s=0.1))
    ann, player = device_of(server, "ann"), device_of(server, "ann", "player")
    with ann.socket() as socket:
        player.report("", tone(ann))
        socket.next("UserDataChanged")

        socket.next("UserDataChanged")

    assert "NowPlayingItem" not in player.session()


def test_administrators_are_rung_when_the_log_grows(house: House) -> None:
    server = house.server()
    admin, ann = device_of(server, "admin"), device_of(server, "ann")
    with admin.socket() as socket:
        socket.say("ActivityLogEntryStart", "0,1500")
        socket.say("KeepAlive")
        socket.next("KeepAlive")
        ann.ask("GET", f"/Items/{tone(ann)}/Download")

        assert socket.next("ActivityLogEntry") == []


def test_comings_and_goings_are_written_down(house: House) -> None:
    server = house.server()
    admin, ann = device_of(server, "admin"), device_of(server, "ann")
    ann.report("", tone(ann))
    ann.post("/Sessions/Logout")

    log = admin.get("/System/ActivityLog/Entries")["Items"]

    assert [one["Name"] for one in log[:4]] == [
        "ann has disconnected from A device",
        "ann is playing The Sine Waves - Tone 1 on A device",
        "ann successfully authenticated",
        "ann is online from A device",
    ]


def upgraded(client: Client) -> socket.socket:
    """Return a bare connection on which a WebSocket was greeted."""
    address = urlsplit(client.url)
    bare = socket.create_connection((address.hostname, address.port), timeout=PATIENCE_S)
    bare.sendall(
        f"GET /socket HTTP/1.1\r\nHost: x\r\nAuthorization: {client.header()}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    greeting = b""
    while b"ForceKeepAlive" not in greeting:
        more = bare.recv(4096)
        assert more
        greeting += more
    return bare


@pytest.mark.usefixtures("endless", "long_farewell")
def test_a_frame_that_is_none_ends_its_socket(house: House) -> None:
    server = house.server()
    ann = device_of(server, "ann")
    with upgraded(ann) as bare:
        bare.sendall(b"\xff" * 64)
        while bare.recv(4096):
            pass
        server.stop()


@pytest.mark.usefixtures("endless")
def test_a_socket_that_nobody_reads_holds_nobody_up(house: House) -> None:
    server = house.server()
    ann, ben = device_of(server, "ann"), device_of(server, "ben")
    with upgraded(ann):
        [listener] = server.core.sockets.clients
        with server.core.lock:
            for _ in range(64):
                listener.writer.send("x" * 500_000)
        assert ben.get("/Users/Me")
        server.stop()


def test_a_connection_is_kept_for_the_next_request(house: House) -> None:
    server = house.server()
    address = urlsplit(server.url)
    with closing(
        HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_S)
    ) as connection:
        for method, path, status in (
            ("GET", "/System/Info/Public", 200),
            ("HEAD", "/Users/Me", 405),
            ("GET", "/nowhere", 404),
            ("POST", "/Sessions/Logout", 401),
        ):
            connection.request(method, path)
            kept = connection.sock
            answer = connection.getresponse()
            answer.read()

            assert answer.status == status
            assert connection.sock is kept is not None


def test_a_file_that_becomes_shorter_meanwhile_is_cut_off(house: House) -> None:
    size = 64 * 1024 * 1024
    os.truncate(house.folder / TONE_1, size)
    ann = device_of(house.server(), "ann")
    headers = {"Authorization": ann.header()}
    address = f"{ann.url}/Items/{tone(ann)}/Download"
    with requests.get(address, headers=headers, stream=True, timeout=PATIENCE_S) as download:
        os.truncate(house.folder / TONE_1, 1024)

        assert download.headers["Content-Length"] == str(size)
        # Not a time-out: the connection is closed.
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            _ = download.content


def test_what_is_no_http_is_refused_without_a_word(house: House) -> None:
    address = urlsplit(house.server().url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE_S) as plain:
        plain.sendall(b"HELLO\r\n\r\n")
        answer = plain.makefile("rb").read()

    status, *headers = answer.decode().split("\r\n")
    assert status == "HTTP/1.1 400 Bad Request"
    assert {"Content-Length: 0", "Connection: close", "Server: Kestrel"} <= set(headers)
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "asked", ["GET http://[ HTTP/1.1", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked"]
)
def test_a_request_that_cannot_be_understood_is_400(house: House, asked: str) -> None:
    address = urlsplit(house.server().url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE_S) as plain:
        plain.sendall(f"{asked}\r\n\r\n".encode())
        answer = plain.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_second_start_needs_another_server(house: House) -> None:
    server = DemoServer(house.folder, speaks=Version.V12_0, timing=QUICK)

    with pytest.raises(RuntimeError):
        _ = server.url
    with server:
        assert server.url.startswith("http://127.0.0.1:")
    server.stop()
