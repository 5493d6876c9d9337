"""With two real Syncthings: what has arrived, and what waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from pydantic import SecretStr

from sidecar.clock import Waitable
from sidecar.config import DeviceSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import DeviceError, NotVisible, SyncthingError
from sidecar.events import DeviceChanged
from sidecar.services.accounts.person import Person
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.devices.views import DeviceView
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.rules.wishes import WishService
from sidecar.services.syncthing.arrivals import carried_by
from sidecar.services.syncthing.peers import PeerMonitor
from sidecar.services.syncthing.status import SyncStatus
from sidecar.store.syncthing.arrivals import Arrivals
from sidecar.syncthing.client import SharedFolder, Syncthing
from sidecar.syncthing.connection import SyncthingConnection
from tests.fakes.clock import FakeClock
from tests.fakes.servers.slow_line import wait_until
from tests.fakes.servers.syncthings import FOLDER, OneSyncthing, free_port
from tests.services.conftest import ANN, STICK, World, access_to, owned, registry_of, track

pytestmark = pytest.mark.slow


ANN_HERSELF = Person(ANN, "ann", is_admin=False)
STRANGER = Person("b" * 32, "ben", is_admin=False)


class StopAtRest(FakeClock):
    """A clock that says stop when it is first asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.stop = Event()

    def wait(self, stop: Waitable, seconds: float) -> bool:
        self.stop.set()
        return super().wait(stop, seconds)


@dataclass
class Carrying:
    """A stick that lies in Syncthing's folder, and what asks of it."""

    world: World
    home: OneSyncthing
    phone: OneSyncthing
    stick: Path
    registry: DeviceRegistry
    problems: Problems
    arrivals: Arrivals
    peers: PeerMonitor

    def brings(self, number: int) -> int:
        """Let a file arrive on the stick."""
        item = track(number)
        world = self.world
        WishService(world.db, world.holds, world.downloads, world.clock).hold(
            [Wish(ANN, STICK, item, Reason("latest", item.id, "new"))], lambda _: {item.id: item}
        )
        (running,) = world.downloads.queue.claim_together(world.clock.now(), at_most=1)
        path = self.stick / running.file_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * 1000)
        world.downloads.transitions.mark_arrived(
            running, size=1000, content_hash="0" * 32, mime_type=None
        )
        return running.id

    def reaches_the_phone(self) -> None:
        self.home.scan()
        there = {"folder": FOLDER, "device": self.phone.id}
        wait_until(
            lambda: not self.home.ask("GET", "db/remoteneed", **there)["files"],
            what="all to be on the phone",
        )

    def arrived(self, download_id: int) -> list[bool]:
        return [one.known_at is not None for one in self.arrivals.of_file(download_id)]

    def trouble(self, subject: str = "syncthing") -> str | None:
        found = self.problems.of(ProblemKind.SYNCTHING, subject)
        return found.code if found else None


@pytest.fixture
def carrying(
    world: World,
    syncthings: tuple[OneSyncthing, OneSyncthing],
    request: pytest.FixtureRequest,
) -> Iterator[Carrying]:
    home, phone = syncthings
    stick = home.folder / "Sticks" / request.node.name
    stick.mkdir(parents=True)
    write_marker(stick, Marker(STICK, "Car stick"))
    registry, problems = shelf_of(
        world, DeviceSettings(name="Car stick", path=stick, users=("ann",))
    )
    arrivals, syncthing = Arrivals(world.db), asking(home)
    peers = PeerMonitor(
        syncthing,
        registry=registry,
        arrivals=arrivals,
        problems=problems,
        bus=world.bus,
        clock=world.clock,
    )
    yield Carrying(world, home, phone, stick, registry, problems, arrivals, peers)
    syncthing.close()
    registry.close()
    phone.pause(on=False)


def shelf_of(world: World, settings: DeviceSettings) -> tuple[DeviceRegistry, Problems]:
    problems = Problems(world.bus)
    registry = registry_of(world, settings, problems=problems)
    return registry, problems


def asking(one: OneSyncthing, *, url: str | None = None) -> Syncthing:
    certificate = None if url else one.certificate
    key = SecretStr(one.key)
    return Syncthing(SyncthingConnection(url or one.url, key=lambda: key, certificate=certificate))


def test_what_has_arrived_on_the_phone_is_known_with_its_time(carrying: Carrying) -> None:
    first = carrying.brings(1)
    carrying.reaches_the_phone()
    carrying.peers.step()
    known_at = carrying.world.clock.now()
    carrying.world.clock.advance(timedelta(hours=1).total_seconds())
    carrying.peers.step()

    (arrival,) = carrying.arrivals.of_file(first)
    assert (arrival.peer, arrival.known_at) == ("Ann's phone", known_at)
    carried = carrying.peers.of(STICK)
    assert carried is not None
    assert (carried.folder.label, carried.folder.prefix) == (
        "Music",
        f"Sticks/{carrying.stick.name}/",
    )
    (phone,) = carried.peers
    assert (phone.is_connected, phone.completion, phone.need_items) == (True, 100, 0)


def test_what_syncthing_has_not_even_noticed_has_not_arrived(carrying: Carrying) -> None:
    first = carrying.brings(1)
    carrying.reaches_the_phone()
    unnoticed = carrying.brings(2)

    carrying.peers.step()

    assert carrying.arrived(first) == [True]
    assert carrying.arrived(unnoticed) == [False]


def test_older_files_wait_until_the_phone_has_the_newer_one(carrying: Carrying) -> None:
    old = carrying.brings(1)
    carrying.reaches_the_phone()
    carrying.peers.step()
    assert carrying.peers.waiting(STICK) is None
    carrying.phone.pause()
    carrying.world.clock.advance(timedelta(hours=2).total_seconds())
    newer = carrying.brings(2)
    carrying.home.scan()
    carrying.peers.step()

    waiting = carrying.peers.waiting(STICK)
    assert waiting is not None
    assert waiting.files == {old}
    assert waiting.text == "what can be removed waits until Ann's phone has 1 newer file"
    assert carrying.arrived(newer) == [False]

    carrying.phone.pause(on=False)
    carrying.reaches_the_phone()
    carrying.world.news.clear()
    carrying.peers.step()

    assert carrying.peers.waiting(STICK) is None
    assert carrying.arrived(newer) == [True]
    assert DeviceChanged(STICK) in carrying.world.news


def test_what_went_and_came_again_has_to_arrive_again(carrying: Carrying) -> None:
    first = carrying.brings(1)
    carrying.reaches_the_phone()
    carrying.peers.step()
    found = carrying.world.downloads.queries.get(first)
    assert found is not None
    carrying.world.downloads.transitions.mark_missing(found)
    carrying.world.clock.advance(60)
    gone = carrying.world.downloads.queries.get(first)
    assert gone is not None
    carrying.world.downloads.transitions.want_again(gone, user_id=ANN)
    (running,) = carrying.world.downloads.queue.claim_together(
        carrying.world.clock.now(), at_most=1
    )
    carrying.world.downloads.transitions.mark_arrived(
        running, size=1001, content_hash="1" * 32, mime_type=None
    )

    assert carrying.arrived(first) == [False]


def test_while_syncthing_is_away_what_was_known_counts(carrying: Carrying) -> None:
    old = carrying.brings(1)
    carrying.reaches_the_phone()
    carrying.peers.step()
    carrying.world.clock.advance(timedelta(minutes=10).total_seconds())
    carrying.brings(2)
    away = asking(carrying.home, url=f"http://127.0.0.1:{free_port()}")
    later = PeerMonitor(
        away,
        registry=carrying.registry,
        arrivals=carrying.arrivals,
        problems=carrying.problems,
        bus=carrying.world.bus,
        clock=carrying.world.clock,
    )

    with pytest.raises(SyncthingError):
        later.step()
    away.close()

    waiting = later.waiting(STICK)
    assert waiting is not None
    assert waiting.files == {old}
    carrying.world.clock.advance(timedelta(days=7).total_seconds())
    assert later.waiting(STICK) is None


def test_a_folder_that_syncthing_does_not_know_is_told_of_and_nothing_waits(
    carrying: Carrying, world: World
) -> None:
    settings = DeviceSettings(name="Car stick", path=carrying.stick, syncthing_folder="holidays")
    carrying.registry.close()
    registry, problems = shelf_of(world, settings)
    peers = PeerMonitor(
        asking(carrying.home),
        registry=registry,
        arrivals=carrying.arrivals,
        problems=problems,
        bus=world.bus,
        clock=world.clock,
    )
    carrying.brings(1)

    peers.step()

    assert peers.of(STICK) is None
    assert peers.waiting(STICK) is None
    found = problems.of(ProblemKind.SYNCTHING, STICK)
    assert found is not None
    assert found.text == (
        "Syncthing knows no folder holidays, which Car stick should be "
        "(settings: devices.syncthing_folder)"
    )
    registry.close()


def test_the_closest_folder_by_path_carries_a_device(tmp_path: Path) -> None:
    folders = [
        SharedFolder("all", "All", tmp_path, ("phone",)),
        SharedFolder("music", "Music", tmp_path / "Music", ("car",)),
        SharedFolder("other", "Other", tmp_path / "Mus", ()),
    ]

    def carried(path: str, folder_id: str | None = None) -> tuple[str, str] | None:
        settings = DeviceSettings(name="x", path=tmp_path / path, syncthing_folder=folder_id)
        found = carried_by(settings, folders)
        return (found.id, found.path("a/b.flac")) if found else None

    assert carried("Music") == ("music", "a/b.flac")
    assert carried("Music/Stick") == ("music", "Stick/a/b.flac")
    assert carried("Musical") == ("all", "Musical/a/b.flac")
    assert carried("Musical", "music") == ("music", "a/b.flac")
    assert carried("Music", "none") is None
    assert carried("..") is None


def desk_of(carrying: Carrying) -> SyncStatus:
    device = DeviceView(STICK, "Car stick", "", None, None, 0, None, None)
    return SyncStatus(
        carrying.peers.report,
        waits=carrying.peers.why_waiting,
        access=access_to(carrying.world, carrying.registry.settings),
        devices=lambda person: [device] if person == ANN_HERSELF else [],
        visible=owned(carrying.world).visible,
        arrivals=carrying.arrivals,
        registry=carrying.registry,
        problems=carrying.problems,
    )


def test_people_see_where_their_devices_are_carried_and_no_others(carrying: Carrying) -> None:
    carrying.brings(1)
    carrying.reaches_the_phone()
    carrying.peers.step()
    desk = desk_of(carrying)

    view = desk.shared(ANN_HERSELF, STICK)

    assert (view.folder, view.trouble, view.waits) == ("Music", None, None)
    assert [(one.name, one.is_connected) for one in view.peers] == [("Ann's phone", True)]
    for ask in (desk.shared, desk.ignoring, desk.ignore):
        with pytest.raises(NotVisible):
            ask(STRANGER, STICK)
    assert desk.notices(STRANGER) == []


def test_a_device_below_syncthings_folder_is_told_which_line_goes_where(
    carrying: Carrying,
) -> None:
    carrying.peers.step()
    desk = desk_of(carrying)
    line = f"/Sticks/{carrying.stick.name}/.sidecar"

    (notice,) = desk.notices(ANN_HERSELF)
    assert f"once the line {line} is in its .stignore" in notice.text
    with pytest.raises(DeviceError, match=r"add the line /Sticks/.* there"):
        desk.ignore(ANN_HERSELF, STICK)
    assert not (carrying.stick / ".stignore").exists()

    lines = carrying.home.folder / ".stignore"
    before = lines.read_text() if lines.exists() else ""
    lines.write_text(f"{before}{line}\n")
    carrying.home.scan()
    carrying.peers.step()

    found = desk.ignore(ANN_HERSELF, STICK)
    assert found is not None
    assert (found.is_there, found.line) == (True, line)
    assert desk.notices(ANN_HERSELF) == []
    assert not (carrying.stick / ".stignore").exists()
    lines.write_text(before) if before else lines.unlink()


def test_a_wrong_key_is_an_admins_notice(carrying: Carrying) -> None:
    wrong = SyncthingConnection(
        carrying.home.url, key=lambda: SecretStr("x"), certificate=carrying.home.certificate
    )
    peers = PeerMonitor(
        Syncthing(wrong),
        registry=carrying.registry,
        arrivals=carrying.arrivals,
        problems=carrying.problems,
        bus=carrying.world.bus,
        clock=(clock := StopAtRest()),
    )
    peers.run(clock.stop)

    admin = Person("e" * 32, "eve", is_admin=True)
    (notice,) = desk_of(carrying).notices(admin)
    assert notice.text.endswith("refuses the API key (settings: syncthing.api_key)")
    assert desk_of(carrying).notices(ANN_HERSELF) == []
    assert carrying.trouble() == "wrong-key"
