from __future__ import annotations

from collections.abc import Iterator
from queue import Queue
from threading import Event

import pytest
from pydantic import SecretStr

from sidecar.clock import SystemClock, Waitable
from sidecar.errors import JellyfinError, ServerAway, UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.live.events import (
    LARGEST_FRAME_BYTES,
    Connected,
    Disconnected,
    News,
    SessionsNews,
    TokenRefused,
    UserDataChanged,
)
from sidecar.jellyfin.live.listener import Listener
from sidecar.jellyfin.live.websocket import (
    LARGE_CONNECTIONS,
    SMALL_FRAME_BYTES,
    ConnectionLost,
    ConnectionRefused,
    open_connection,
)
from tests.fakes.servers.answering import UNAUTHORISED, Reply, html_reply
from tests.fakes.servers.live import LiveServer, frame, live_server, running
from tests.jellyfin.recorded import recording, reply
from tests.patience import PATIENCE_S

TOKEN = SecretStr("0123456789abcdef0123456789abcdef")
USER = "eca72f36678648dfacdbb6f40ea1199a"
ID = "1bf5462706b4367473f9fd0725bdd586"
HEART = frame(
    "UserDataChanged", {"UserId": USER, "UserDataList": [{"ItemId": ID, "IsFavorite": True}]}
).decode()


@pytest.fixture
def server() -> Iterator[LiveServer]:
    with live_server() as fake:
        yield fake


def client_of(server: LiveServer, url: str = "") -> Jellyfin:
    identity = DeviceIdentity(device_id="sc-1", version="1.0.0")
    return Jellyfin(url or server.url, identity=identity, token=TOKEN)


def test_the_opening_carries_the_header_and_the_token_is_nowhere_else(server: LiveServer) -> None:
    client = client_of(server)
    line = open_connection(client.connection)
    line.close()

    (opening,) = server.openings
    assert opening.path == "/socket"
    assert opening.headers["Authorization"] == client.authorization_header()["Authorization"]


def test_the_base_path_is_kept() -> None:
    with live_server("/jellyfin") as server:
        open_connection(client_of(server, server.url + "/").connection).close()

    assert server.openings[0].path == "/jellyfin/socket"


@pytest.mark.parametrize(
    ("opening", "trouble"),
    [
        (Reply(403), ConnectionRefused),
        (Reply(401), ConnectionRefused),
        (Reply(503, b"", {"Retry-After": "005"}), ServerAway),
        (html_reply(502), ServerAway),
        (html_reply(200), UnexpectedAnswer),
        (Reply(404), UnexpectedAnswer),
        (Reply(302, b"", {"Location": "/web/"}), UnexpectedAnswer),
    ],
)
def test_a_refused_opening_is_told_apart(
    server: LiveServer, opening: Reply, trouble: type[JellyfinError]
) -> None:
    server.opening = opening

    with pytest.raises(trouble) as caught:
        open_connection(client_of(server).connection)

    assert caught.type is trouble
    assert len(server.openings) == 1


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_a_redirect_is_not_followed_with_our_token(server: LiveServer, scheme: str) -> None:
    with live_server() as elsewhere:
        place = f"{scheme}{elsewhere.url.removeprefix('http')}/socket"
        server.opening = Reply(302, b"", {"Location": place})

        with pytest.raises(UnexpectedAnswer):
            open_connection(client_of(server).connection)

        assert elsewhere.openings == []


def test_nobody_there_is_a_server_that_is_away() -> None:
    with live_server() as gone:
        pass

    with pytest.raises(ServerAway):
        open_connection(client_of(gone).connection)


def test_a_proxy_variable_has_no_say(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ws_proxy", "http://127.0.0.1:9")

    open_connection(client_of(server).connection).close()


def test_a_server_that_hangs_up_is_a_lost_line(server: LiveServer) -> None:
    line = open_connection(client_of(server).connection)
    assert line.receive(PATIENCE_S) is not None
    server.connection().close()

    with pytest.raises(ConnectionLost):
        line.receive(PATIENCE_S)
    with pytest.raises(ConnectionLost):
        line.send("{}")
    line.close()


def test_a_frame_of_a_long_queue_arrives_and_one_beyond_measure_ends_the_line(
    server: LiveServer,
) -> None:
    line = open_connection(client_of(server).connection)
    line.receive(PATIENCE_S)
    connection = server.connection()

    connection.send("x" * 3_000_000)
    large = line.receive(PATIENCE_S)
    assert large is not None
    assert len(large) == 3_000_000
    connection.send("x" * (LARGEST_FRAME_BYTES + 1))
    with pytest.raises(ConnectionLost) as caught:
        line.receive(PATIENCE_S)
    line.close()

    assert caught.value.frame_too_big


def test_a_few_connections_take_large_frames_and_further_ones_small_ones(
    server: LiveServer,
) -> None:
    http = client_of(server).connection
    lines, taken = [], []
    for may_be_large in (True, True, True, True, False):
        line = open_connection(http, may_be_large=may_be_large)
        lines.append(line)
        line.receive(PATIENCE_S)
        server.connection().send("x" * (SMALL_FRAME_BYTES + 1))
        try:
            taken.append(line.receive(PATIENCE_S) is not None)
        except ConnectionLost as lost:
            taken.append(not lost.frame_too_big)
    lines[0].close()
    again = open_connection(http)
    for one in (*lines, again):
        one.close()

    assert taken == [True, True, True, False, False]
    assert len(LARGE_CONNECTIONS) == 0


class Live:
    """A listener that runs in a thread against a real server.

    It is the listener's clock as well: the machine's.

    Attributes:
        rests: The seconds it rested, each time.
    """

    now = SystemClock().now
    monotonic = SystemClock().monotonic

    def __init__(self, server: LiveServer) -> None:
        self.news: Queue[News] = Queue()
        self.rests: list[float] = []
        self.stop = Event()
        self.listener = Listener(
            client_of(server),
            self.news.put,
            clock=self,
            chance=lambda: 0.5,
        )

    def run(self) -> None:
        self.listener.run(self.stop)

    def wait(self, stop: Waitable, seconds: float) -> bool:
        self.rests.append(seconds)
        return stop.wait(seconds)

    def end(self) -> None:
        self.stop.set()
        self.listener.end()

    def next(self) -> News:
        return self.news.get(timeout=PATIENCE_S)


def test_a_heart_is_told_without_a_rest_and_again_after_a_break(server: LiveServer) -> None:
    live = Live(server)
    with running(live.run, live.end):
        assert live.next() == Connected()
        first = server.connection()
        assert server.wait_for("SessionsStart")["Data"] == "0,1500"
        server.wait_for("KeepAlive")

        first.send(HEART)
        assert isinstance(live.next(), UserDataChanged)
        assert not any(live.rests)

        first.close_socket()
        assert isinstance(live.next(), Disconnected)
        assert live.next() == Connected()
        second = server.connection()
        server.wait_for("SessionsStart")
        second.send(frame("Sessions", recording("12.0", "sessions-playing-user")["json"]).decode())
        told = live.next()

    assert isinstance(told, SessionsNews)
    assert told.playing[0].client == "Jellyfin Web"


def test_who_waits_for_a_frame_can_be_woken_also_before(server: LiveServer) -> None:
    server.echoes = False
    line = open_connection(client_of(server).connection)
    assert line.receive(PATIENCE_S) is not None

    taken: list[bytes | None] = []
    with running(lambda: taken.append(line.receive(2 * PATIENCE_S)), line.wake):
        pass
    line.wake()
    taken.append(line.receive(2 * PATIENCE_S))
    line.close()

    assert taken == [None, None]


def test_a_token_that_is_revoked_ends_it(server: LiveServer) -> None:
    live = Live(server)
    with running(live.run, live.end) as thread:
        assert live.next() == Connected()
        server.opening = Reply(403)
        server.answers = {
            "/Users/Me": UNAUTHORISED,
            "/System/Info/Public": reply("12.0", "public-info"),
        }
        server.connection().close_socket()

        assert isinstance(live.next(), Disconnected)
        assert isinstance(live.next(), TokenRefused)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
