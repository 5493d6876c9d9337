from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from werkzeug.test import Client

from sidecar.domain.undo import Reversal
from sidecar.events import Bus
from sidecar.services.accounts.person import Person
from sidecar.services.downloads.undo import UndoService
from sidecar.web.app import Web, create_app
from sidecar.web.server import WebServer, serve_in_thread
from sidecar.web.services import WebServices
from tests.fakes.actions import FakeActions
from tests.fakes.adoption import FakeAdoption
from tests.fakes.clock import FakeClock
from tests.fakes.desk import ANN, BEN, EVE, FakeDesk
from tests.fakes.library import FakeLibrary, FakeMedia, FakeOffline
from tests.fakes.logs import FakeLogs
from tests.fakes.on_device import FakeLeavers, FakeOnDevice
from tests.fakes.peers import FakePeers
from tests.fakes.plans import FakePlans
from tests.fakes.removals import FakeRemovalsDesk
from tests.fakes.steering import FakeSteering
from tests.fakes.web_services import services_of
from tests.web.house import Browser, WebHouse, only_for, web_house


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


FAKES = {
    "actions": "doing",
    "undo": "undoing",
    "plans": "planned",
    "preferences": "steering_desk",
    "removals": "removals_desk",
    "sync_status": "peers_desk",
    "adoption": "adoption_desk",
    "player_logs": "logs_desk",
    "library": "library",
    "media": "playing",
    "file_search": "on_devices",
    "files": "kept",
    "eviction_preview": "leavers",
}


@pytest.fixture
def services(desk: FakeDesk, request: pytest.FixtureRequest) -> WebServices:
    fakes = {name: request.getfixturevalue(fixture) for name, fixture in FAKES.items()}
    eject = SimpleNamespace(is_ejected=lambda _device_id: False)
    return services_of(desk, eject=eject, **fakes)


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """Return a folder in memory, where the system has one: each sync to the disk is free there."""
    memory = Path("/dev/shm")  # noqa: S108
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def users() -> tuple[str, ...]:
    """Return who uses the stick: everybody, so that only admins manage it.

    A module may say otherwise; somebody who uses it alone manages it as well.
    """
    return ()


@pytest.fixture
def house(quick_path: Path, clock: FakeClock, users: tuple[str, ...]) -> Iterator[WebHouse]:
    """The real services; a test that asks for it has no fake of ours."""
    with web_house(quick_path, clock, change=only_for(*users)) as built:
        yield built


def _is_real(request: pytest.FixtureRequest) -> bool:
    return "house" in request.fixturenames or request.path.parent.name == "api"


@pytest.fixture
def web(request: pytest.FixtureRequest, bus: Bus, clock: FakeClock) -> Web:
    if _is_real(request):
        house: WebHouse = request.getfixturevalue("house")
        return house.web
    return create_app(request.getfixturevalue("services"), bus, clock=clock)


@pytest.fixture
def client(web: Web) -> Client:
    return Client(web.wsgi)


@pytest.fixture
def ann(request: pytest.FixtureRequest, web: Web) -> Browser:
    return _signed_in(request, web, ANN)


@pytest.fixture
def ben(request: pytest.FixtureRequest, web: Web) -> Browser:
    return _signed_in(request, web, BEN)


@pytest.fixture
def eve(request: pytest.FixtureRequest, web: Web) -> Browser:
    return _signed_in(request, web, EVE)


def _signed_in(request: pytest.FixtureRequest, web: Web, person: Person) -> Browser:
    if _is_real(request):
        house: WebHouse = request.getfixturevalue("house")
        return house.come_in(person)
    return come_in(web, request.getfixturevalue("desk"), person)


def come_in(web: Web, desk: FakeDesk, person: Person) -> Browser:
    visit = desk.begin(person)
    client = Client(web.wsgi)
    client.set_cookie("sidecar_session", visit.secret)
    return Browser(client, visit.csrf)


@pytest.fixture
def server(desk: FakeDesk, bus: Bus) -> Iterator[WebServer]:
    """A real server with the live connection; no thread of its may outlive it."""
    before = set(threading.enumerate())
    web = create_app(services_of(desk), bus)
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
