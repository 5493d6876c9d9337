"""The listener and its second look at the demo server, in their own threads, time running fast.

How soon they notice is proved where the time is told: `test_session_polling`, `test_listener`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Queue
from threading import Event

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.subscriptions import SocketClient as Ear
from sidecar.domain.items.item import ItemType
from sidecar.errors import UnexpectedAnswer
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.live.events import (
    Connected,
    Disconnected,
    News,
    SessionsNews,
    UserDataChanged,
)
from sidecar.jellyfin.live.listener import Listener
from sidecar.jellyfin.live.websocket import LiveConnection, open_connection
from tests.fakes.clock import HastyClock
from tests.fakes.libraries.tiny import listing, write
from tests.fakes.servers.live import running
from tests.jellyfin.test_with_demo import client, named
from tests.patience import PATIENCE_S

HASTE = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(write(tmp_path / "library", listing()), speaks=Version.V12_0) as demo:
        yield demo


@dataclass
class HastyLine:
    """A real line whose waits are as hasty as the clock."""

    line: LiveConnection

    def __post_init__(self) -> None:
        self.send, self.wake, self.close = self.line.send, self.line.wake, self.line.close

    def receive(self, timeout_s: float) -> bytes | None:
        return self.line.receive(timeout_s / HASTE)


class Following:
    """An account that is listened to, and its phone."""

    def __init__(
        self, server: DemoServer, open_line: Callable[[], LiveConnection] | None = None
    ) -> None:
        self.ann = client(server, "ann")
        self.phone = client(server, "ann", "phone")
        self.song = named(self.phone, ItemType.AUDIO, "Tone 1")
        self.clock = HastyClock(HASTE)
        self.news: Queue[News] = Queue()
        self.stop = Event()
        self.listener = Listener(
            self.ann,
            self.news.put,
            clock=self.clock,
            chance=lambda: 0.0,
            open_line=open_line or self.open_line,
        )

    def open_line(self) -> LiveConnection:
        return HastyLine(open_connection(self.ann.connection))

    def end(self) -> None:
        self.stop.set()
        self.listener.end()

    @contextmanager
    def running(self) -> Iterator[None]:
        with ExitStack() as threads:
            for work in (self.listener.run, self.listener.second_look.run):
                threads.enter_context(running(partial(work, self.stop), self.end))
            yield

    def play(self) -> None:
        report(self.phone, "Playing", self.song.id)

    def wait_until(self, *are_there: Callable[[News], bool]) -> None:
        """Wait until each of these was told, in any order."""
        missing = list(are_there)
        while missing:
            news = self.news.get(timeout=PATIENCE_S)
            missing = [one for one in missing if not one(news)]


def report(client: Jellyfin, kind: str, item_id: str) -> None:
    client.connection.send("POST", "Sessions", *kind.split("/"), body={"ItemId": item_id})


def plays(news: News) -> bool:
    return isinstance(news, SessionsNews) and bool(news.playing)


def goes_deaf(listener: Ear) -> None:
    """What 12.0 does to who was late: it is told nothing any more, no KeepAlive either."""
    listener.is_deaf = True


def forgets_its_wish(listener: Ear) -> None:
    """It is told everything but what plays: only a request can show that."""
    listener.subscriptions.clear()


@pytest.mark.parametrize("breaks", [goes_deaf, forgets_its_wish])
def test_a_socket_that_has_gone_deaf_is_noticed_and_made_anew(
    server: DemoServer, breaks: Callable[[Ear], None]
) -> None:
    following = Following(server)
    with following.running():
        following.play()
        following.wait_until(plays)
        report(following.phone, "Playing/Stopped", following.song.id)
        following.wait_until(lambda one: one == SessionsNews(()))
        with server.core.lock:
            for one in server.core.sockets.clients:
                breaks(one)
        following.play()

        # A loaded machine may ask what plays before or after it notices.
        following.wait_until(
            lambda one: isinstance(one, Disconnected),
            lambda one: isinstance(one, Connected),
            plays,
        )
        following.phone.set_favourite(following.song.id, value=True)
        following.wait_until(lambda one: isinstance(one, UserDataChanged))


def test_what_plays_is_known_where_no_live_connection_gets_through(server: DemoServer) -> None:
    def refuse() -> LiveConnection:
        raise UnexpectedAnswer("a proxy lets no live connection through")

    following = Following(server, refuse)
    with following.running():
        following.wait_until(lambda one: isinstance(one, Disconnected))
        following.wait_until(lambda one: one == SessionsNews(()))
        following.play()
        following.wait_until(plays)


def test_what_played_before_is_known_as_soon_as_the_connection_stands(server: DemoServer) -> None:
    following = Following(server)
    following.play()
    report(following.phone, "Playing/Progress", following.song.id)
    with following.running():
        following.wait_until(plays)
