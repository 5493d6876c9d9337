from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from queue import Queue
from threading import Event
from typing import TypeVar

import pytest

from sidecar.clock import SystemClock
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.timing import Timing
from sidecar.domain.items.item import ItemType
from sidecar.domain.playback.cast_queue import CastPosition
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.live.cast import cast_client, cast_target
from sidecar.jellyfin.live.commands import Command, PlayOrder
from sidecar.jellyfin.live.events import Connected, Disconnected, News
from sidecar.jellyfin.live.websocket import LiveConnection, open_connection
from tests.fakes.libraries.tiny import listing, write
from tests.fakes.servers.live import running
from tests.fakes.servers.slow_line import wait_until
from tests.jellyfin.test_with_demo import client, named
from tests.patience import PATIENCE_S

T = TypeVar("T")


@pytest.fixture(params=list(Version))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DemoServer]:
    # A device is in the menu until it leaves, however long it says nothing.
    timing = Timing(keep_alive_s=3600.0)
    library = write(tmp_path / "library", listing())
    with DemoServer(library, speaks=request.param, timing=timing) as demo:
        yield demo


class Target:
    """A device that is a cast target in a thread."""

    def __init__(
        self, account: Jellyfin, device_id: str = "stick", name: str = "Car stick"
    ) -> None:
        self.client = cast_client(account, device_id, name)
        self.news: Queue[News] = Queue()
        self.stop = Event()
        self.target = cast_target(
            self.client, self.news.put, clock=SystemClock(), chance=lambda: 0.0
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        def end() -> None:
            self.stop.set()
            self.target.end()

        with running(partial(self.target.run, self.stop), end):
            self.wait_for(Connected)
            yield

    def wait_for(self, kind: type[T]) -> T:
        while not isinstance(told := self.news.get(timeout=PATIENCE_S), kind):
            continue
        return told


def menu(phone: Jellyfin) -> dict[str, str]:
    """What a phone lists in its cast menu: names with the ids of their sessions."""
    query = {"controllableByUserId": phone.user_id or ""}
    found = phone.connection.get("Sessions", query=query)
    return {one["DeviceName"]: one["Id"] for one in json.loads(found.body)}


def test_a_device_is_in_the_menu_under_its_name_while_it_is_offered(server: DemoServer) -> None:
    ann, phone = client(server, "ann"), client(server, "ann", "phone")
    target = Target(ann, name="Anns Stick „rot“")
    with target.running():
        shown = menu(phone)
    wait_until(lambda: menu(phone) == {})

    assert list(shown) == ["Anns Stick „rot“"]


def test_an_album_that_is_cast_arrives_as_its_tracks(server: DemoServer) -> None:
    ann, phone = client(server, "ann"), client(server, "ann", "phone")
    album = named(phone, ItemType.ALBUM, "First Light")
    target = Target(ann)
    with target.running():
        query = {"playCommand": "PlayNow", "itemIds": album.id}
        path = ("Sessions", menu(phone)["Car stick"], "Playing")
        phone.connection.send("POST", *path, query=query)
        order = target.wait_for(PlayOrder)
        phone.connection.send("POST", *path, "Stop")
        command = target.wait_for(Command)

    tracks = tuple(one.id for one in phone.expand(album).items)
    assert order == PlayOrder(tracks, CastPosition.NOW, 0, ann.user_id)
    assert command == Command("Stop", ann.user_id)


def test_one_account_has_two_devices_and_its_own_session_plays_no_part(
    server: DemoServer,
) -> None:
    ann, phone = client(server, "ann"), client(server, "ann", "phone")
    stick, card = Target(ann), Target(ann, "card", "Player card")
    with stick.running(), card.running():
        shown = menu(phone)
        song = named(phone, ItemType.AUDIO, "Tone 1")
        query = {"playCommand": "PlayLast", "itemIds": song.id}
        phone.connection.send("POST", "Sessions", shown["Player card"], "Playing", query=query)
        card.wait_for(PlayOrder)
        stick_heard = list(stick.news.queue)

    assert set(shown) == {"Car stick", "Player card"}
    assert not any(isinstance(one, PlayOrder) for one in stick_heard)
    assert ann.me().name == "ann"
    assert ann.connection.identity.device_id == "sidecar-ann"


def test_it_is_in_the_menu_again_after_its_socket_was_lost(server: DemoServer) -> None:
    ann, phone = client(server, "ann"), client(server, "ann", "phone")
    target = Target(ann)
    with target.running():
        with server.core.lock:
            for one in server.core.sockets.clients:
                one.writer.close()
        target.wait_for(Disconnected)
        target.wait_for(Connected)

        assert list(menu(phone)) == ["Car stick"]


class FirstWord:
    """A connection that notes what a phone is shown before each frame."""

    def __init__(self, line: LiveConnection, look: Callable[[], object]) -> None:
        self._line = line
        self._look = look
        self.send, self.wake, self.close = line.send, line.wake, line.close

    def receive(self, timeout_s: float) -> bytes | None:
        self._look()
        return self._line.receive(timeout_s)


def test_it_is_offered_once_the_server_has_said_its_first_word(server: DemoServer) -> None:
    target, phone = Target(client(server, "ann")), client(server, "ann", "phone")
    shown: list[dict[str, str]] = []

    def open_line() -> LiveConnection:
        line = open_connection(target.client.connection, may_be_large=False)
        return FirstWord(line, lambda: shown.append(menu(phone)))

    target.target = cast_target(
        target.client, target.news.put, clock=SystemClock(), chance=lambda: 0.0, open_line=open_line
    )
    with target.running():
        # Before, the end of a socket that was lost would end the session, and with it the offer.
        assert shown[0] == {}
        assert list(menu(phone)) == ["Car stick"]


def test_a_player_that_nothing_plays_on_is_told_as_such(server: DemoServer) -> None:
    ann = client(server, "ann")
    with Target(ann).running():
        assert ann.sessions() == ()
        with server.core.lock:
            assert all(one.item is None for one in server.core.sessions)
