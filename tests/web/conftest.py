from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Blueprint
from werkzeug.test import Client

from sidecar.domain.undo import Reversal
from sidecar.events import Bus
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.undo import UndoService
from sidecar.web.app import Web, create_app
from sidecar.web.pages import admin, device, imports, now, plans, profile, undo
from sidecar.web.pages import download_actions as download_actions_pages
from sidecar.web.pages import files as files_pages
from sidecar.web.pages import library as library_pages
from sidecar.web.pages.device import DeviceDesks
from sidecar.web.pages.files import OfflineDesks
from sidecar.web.server import WebServer, serve_in_thread
from sidecar.web.services import WebServices
from tests.fakes.actions import FakeActions
from tests.fakes.adoption import FakeAdoption
from tests.fakes.clock import FakeClock
from tests.fakes.desk import ANN, EVE, FakeDesk
from tests.fakes.library import FakeLibrary, FakeMedia, FakeOffline
from tests.fakes.listening import FakeListening
from tests.fakes.logs import FakeLogs
from tests.fakes.on_device import FakeLeavers, FakeOnDevice
from tests.fakes.peers import FakePeers
from tests.fakes.people import FakeHood, FakePeople
from tests.fakes.plans import FakePlans
from tests.fakes.removals import FakeRemovalsDesk
from tests.fakes.steering import FakeSteering
from tests.fakes.transfers import FakeTransfers
from tests.fakes.unplugging import FakeUnplugging


@dataclass
class Browser:
    """A client with a session: sends the cookie, and the token when told to."""

    client: Client
    csrf: str


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def steering_desk() -> FakeSteering:
    return FakeSteering()


@pytest.fixture
def removals_desk() -> FakeRemovalsDesk:
    return FakeRemovalsDesk()


@pytest.fixture
def peers_desk() -> FakePeers:
    return FakePeers()


@pytest.fixture
def adoption_desk() -> FakeAdoption:
    return FakeAdoption()


@pytest.fixture
def logs_desk() -> FakeLogs:
    return FakeLogs()


@pytest.fixture
def planned() -> FakePlans:
    return FakePlans()


@pytest.fixture
def listening() -> FakeListening:
    return FakeListening()


@pytest.fixture
def transfers_desk() -> FakeTransfers:
    return FakeTransfers()


@pytest.fixture(name="people")
def known_people() -> FakePeople:
    return FakePeople()


@pytest.fixture
def hood() -> FakeHood:
    return FakeHood()


@pytest.fixture
def unplugging() -> FakeUnplugging:
    return FakeUnplugging()


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def on_devices() -> FakeOffline:
    return FakeOffline()


@pytest.fixture
def kept(desk: FakeDesk) -> FakeOnDevice:
    return FakeOnDevice(desk)


@pytest.fixture
def leavers() -> FakeLeavers:
    return FakeLeavers()


@pytest.fixture
def playing(tmp_path: Path) -> Iterator[FakeMedia]:
    desk = FakeMedia(tmp_path)
    yield desk
    assert all(one.file.closed for one in desk.opened)


@pytest.fixture
def doing(desk: FakeDesk) -> FakeActions:
    return FakeActions(desk)


@pytest.fixture
def taken_back() -> list[Reversal]:
    """What was taken back."""
    return []


@pytest.fixture
def undoing(taken_back: list[Reversal], clock: FakeClock) -> UndoService:
    def reverse(_person: Person, reversal: Reversal) -> bool:
        taken_back.append(reversal)
        return True

    return UndoService(reverse, clock)


@pytest.fixture
def services(request: pytest.FixtureRequest) -> WebServices:
    desk_of = request.getfixturevalue
    return WebServices(
        sign_in=desk_of("desk"),
        api_keys=desk_of("doing"),
        users=desk_of("people"),
        downloads=desk_of("desk"),
        actions=desk_of("doing"),
        undo=desk_of("undoing"),
        preferences=desk_of("steering_desk"),
        plans=desk_of("planned"),
        eviction_preview=desk_of("leavers"),
        removals=desk_of("removals_desk"),
        eject=desk_of("unplugging"),
        sync_status=desk_of("peers_desk"),
        adoption=desk_of("adoption_desk"),
        player_logs=desk_of("logs_desk"),
        library=desk_of("library"),
        media=desk_of("playing"),
        file_search=desk_of("on_devices"),
        files=desk_of("kept"),
        playback=desk_of("listening"),
        transfers=desk_of("transfers_desk"),
        system=desk_of("hood"),
    )


@pytest.fixture
def further(request: pytest.FixtureRequest, services: WebServices) -> list[Blueprint]:
    desk_of = request.getfixturevalue
    return [
        device.routes(
            DeviceDesks(
                plans=desk_of("planned"),
                steering=desk_of("steering_desk"),
                removals=desk_of("removals_desk"),
                unplugging=desk_of("unplugging"),
                peers=desk_of("peers_desk"),
                undoing=desk_of("undoing"),
            )
        ),
        imports.routes(desk_of("adoption_desk"), desk_of("logs_desk")),
        download_actions_pages.routes(desk_of("doing"), desk_of("undoing")),
        profile.routes(desk_of("doing"), desk_of("people")),
        admin.routes(desk_of("people"), desk_of("hood"), desk_of("transfers_desk")),
        plans.routes(services),
        now.routes(services),
        library_pages.routes(desk_of("desk"), desk_of("library"), desk_of("doing")),
        undo.routes(services),
        files_pages.routes(
            OfflineDesks(
                desk=desk_of("desk"),
                on_device=desk_of("kept"),
                leavers=desk_of("leavers"),
                steering=desk_of("steering_desk"),
                actions=desk_of("doing"),
                undoing=desk_of("undoing"),
            )
        ),
    ]


@pytest.fixture
def web(
    desk: FakeDesk, bus: Bus, clock: FakeClock, services: WebServices, further: list[Blueprint]
) -> Web:
    return create_app(desk, bus, clock=clock, services=services, further=further)


@pytest.fixture
def client(web: Web) -> Client:
    return Client(web.wsgi)


@pytest.fixture
def ann(web: Web, desk: FakeDesk) -> Browser:
    return come_in(web, desk, ANN)


@pytest.fixture
def eve(web: Web, desk: FakeDesk) -> Browser:
    return come_in(web, desk, EVE)


def come_in(web: Web, desk: FakeDesk, person: Person) -> Browser:
    visit = desk.begin(person)
    client = Client(web.wsgi)
    client.set_cookie("sidecar_session", visit.secret)
    return Browser(client, visit.csrf)


@pytest.fixture
def server(desk: FakeDesk, bus: Bus) -> Iterator[WebServer]:
    """A real server with the live connection; no thread of its may outlive it."""
    before = set(threading.enumerate())
    web = create_app(desk, bus)
    server = WebServer(web.wsgi, "127.0.0.1", 0)
    server.bind()
    thread = serve_in_thread(server)
    web.live.start()
    yield server
    web.live.stop()
    server.stop()
    thread.join(5)
    left = [one.name for one in threading.enumerate() if one not in before and one.is_alive()]
    assert not left
