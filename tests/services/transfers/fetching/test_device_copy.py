"""A second device takes what the first one has: real folders, and a real server that is counted."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ByteSize, SecretStr

from sidecar.clock import SystemClock
from sidecar.config import DeviceSettings
from sidecar.demo.protocol.messages import Reply, Request
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Move, Status, Validator
from sidecar.domain.wishes import Reason, Wish
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.rules.wishes import WishService
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.failures import FailurePolicy
from sidecar.services.transfers.fetching.device_copy import DeviceCopy
from sidecar.services.transfers.fetching.fetch import Fetcher
from sidecar.services.transfers.fetching.progress import ProgressTracker
from sidecar.services.transfers.finishing.finish import Finisher
from sidecar.services.transfers.policy.blocking import FileBlocking
from sidecar.services.transfers.policy.next_download import HeldBack, NextDownload
from sidecar.services.transfers.policy.owners import OtherOwners
from sidecar.services.transfers.worker import Worker
from sidecar.store.downloads.formats import FormatStore
from sidecar.transfer.http.engine import HttpEngine
from tests.fakes.converter import HalvingConverter
from tests.fakes.libraries.tiny import FIRST_LIGHT, LIBRARIES, Entry, track, write
from tests.fakes.page_cache import count_cached_bytes
from tests.fakes.servers.demo import QUICK
from tests.services.conftest import STICK, World

CARD = "22222222-2222-4222-8222-222222222222"
MIB = 1024 * 1024
OPUS = "opus-128k"
BODY = random.Random(4).randbytes(5 * MIB + 17)


class CountingServer(DemoServer):
    """The demo server; remembers which files were asked for."""

    fetched: list[str]

    def answer(self, request: Request) -> Reply:
        if request.path.endswith("/Download"):
            self.fetched.append(request.path)
        return super().answer(request)


@dataclass
class Home:
    """Two devices of one account, and a worker with everything around it."""

    world: World
    server: CountingServer
    library: Path
    accounts: AccountService
    registry: DeviceRegistry
    problems: Problems
    planning: WishService
    worker: Worker
    stick: Path
    card: Path
    user_id: str
    item_id: str
    converter: HalvingConverter
    fetches: int = 0

    def wish(self, device_id: str) -> None:
        client = self.accounts.client(self.user_id)
        item = client.item(self.item_id)
        why = Reason("favourites", item.id, "your favourite")
        self.planning.hold([Wish(self.user_id, device_id, item, why)], client.items)

    def on(self, device_id: str) -> Download:
        found = self.world.downloads.queries.by_item(device_id, self.item_id)
        assert found is not None
        return found

    def bring(self, device_id: str) -> None:
        self.wish(device_id)
        assert self.worker.step()

    def bring_as(self, device_id: str, name: str) -> None:
        """Bring it to a device that wants this format."""
        self.wish(device_id)
        FormatStore(self.world.db).align(device_id, name)
        assert self.worker.step()

    def asked_again(self) -> int:
        """How many files were asked of Jellyfin since this was called last."""
        before, self.fetches = self.fetches, len(self.server.fetched)
        return self.fetches - before

    def content(self, device_id: str) -> bytes:
        root = self.stick if device_id == STICK else self.card
        return (root / self.on(device_id).file_path).read_bytes()

    def cached(self, device_id: str) -> int:
        """How much of the file on a device is in the memory."""
        root = self.stick if device_id == STICK else self.card
        return count_cached_bytes(root / self.on(device_id).file_path)

    def parts(self) -> list[Path]:
        folders = [one / ".sidecar" / "parts" for one in (self.stick, self.card)]
        return [part for folder in folders if folder.is_dir() for part in folder.iterdir()]


@pytest.fixture
def home(world: World, tmp_path: Path) -> Iterator[Home]:
    library = tmp_path / "library"
    song = track(FIRST_LIGHT, 1, "Tone 1")
    (library / song["path"]).parent.mkdir(parents=True)
    (library / song["path"]).write_bytes(BODY)
    nothing: Entry = {"films": [], "episodes": [], "covers": {}, "playlists": []}
    write(library, {"libraries": LIBRARIES, "tracks": [song], **nothing})
    CountingServer.fetched = []
    with CountingServer(library, speaks=Version.V12_0, timing=QUICK) as server:
        home = build(world, server, library, tmp_path)
        yield home
        home.registry.close()


def build(world: World, server: CountingServer, library: Path, tmp_path: Path) -> Home:
    places = {STICK: tmp_path / "stick", CARD: tmp_path / "card"}
    for device_id, place in places.items():
        place.mkdir()
        write_marker(place, Marker(device_id, place.name))
    with world.db.write():
        world.db.sql("DELETE FROM accounts")  # this server has an ann of its own
    problems, claims, clock = Problems(world.bus), Claims(), world.clock
    accounts = AccountService(
        server.url,
        ca_file=None,
        stores=world.stores,
        box=TokenBox(tmp_path / "token.key"),
        problems=problems,
        bus=world.bus,
        clock=clock,
    )
    ann = accounts.with_password("ann", SecretStr("ann")).user_id
    watch = JellyfinStatus(accounts.anonymous, problems, clock)
    devices = [
        DeviceSettings(name=place.name, path=place, reserve=ByteSize(0))
        for place in places.values()
    ]
    registry = DeviceRegistry(
        devices, devices=world.devices, downloads=world.downloads, problems=problems, clock=clock
    )
    blocking = FileBlocking(world.downloads, problems, clock)
    failing = FailurePolicy(
        downloads=world.downloads,
        accounts=accounts,
        registry=registry,
        server=watch,
        clock=clock,
        chance=lambda: 0.0,
        blocking=blocking,
        owners=OtherOwners(world.stores, accounts=accounts, server=watch, problems=problems),
    )
    converter = HalvingConverter()
    worker = Worker(
        taking=NextDownload(
            downloads=world.downloads,
            registry=registry,
            server=watch,
            problems=problems,
            claims=claims,
            clock=clock,
            held_back=HeldBack(),
            blocking=blocking,
        ),
        fetching=Fetcher(
            engine=HttpEngine(SystemClock()),
            downloads=world.downloads,
            copies=DeviceCopy(registry, world.downloads),
            progress=ProgressTracker(world.bus, clock),
            came_through=blocking.came_through,
        ),
        failing=failing,
        accounts=accounts,
        registry=registry,
        finishing=Finisher(world.downloads, converter=lambda: converter),
    )
    registry.look(settle=lambda _device: None)
    item_id = next(one.id for one in server.core.library if one.name == "Tone 1")
    planning = WishService(world.db, world.holds, world.downloads, clock)
    return Home(
        world,
        server,
        library,
        accounts,
        registry,
        problems,
        planning,
        worker,
        places[STICK],
        places[CARD],
        ann,
        item_id,
        converter,
    )


def test_a_second_device_copies_what_the_first_one_has(home: Home) -> None:
    home.bring(STICK)
    assert home.asked_again() == 1

    home.bring(CARD)

    assert home.asked_again() == 0
    there = home.on(CARD)
    assert there.status is Status.COMPLETED
    assert home.content(CARD) == home.content(STICK) == BODY
    assert there.content_hash == home.on(STICK).content_hash
    assert (there.mime_type, there.file_size) == ("audio/flac", len(BODY))
    assert there.validator is None
    assert home.parts() == []


def test_only_what_another_device_waits_for_stays_in_the_memory(home: Home) -> None:
    home.wish(CARD)
    home.bring(STICK)
    first, second = (CARD, STICK) if home.on(CARD).status is Status.COMPLETED else (STICK, CARD)
    assert home.on(second).status is Status.PENDING
    assert home.cached(first) == len(BODY)

    assert home.worker.step()

    assert home.on(second).status is Status.COMPLETED
    assert home.cached(second) == 0


def test_what_is_converted_is_read_from_the_memory(home: Home) -> None:
    cached: list[int] = []
    home.converter.begins = lambda source: cached.append(count_cached_bytes(source))

    home.bring_as(STICK, OPUS)

    assert cached == [len(BODY)]


def test_a_converted_file_is_copied_for_a_device_that_wants_the_same(home: Home) -> None:
    home.bring_as(STICK, OPUS)
    assert home.asked_again() == 1

    home.bring_as(CARD, OPUS)

    assert (home.asked_again(), len(home.converter.asked)) == (0, 1)
    first, second = home.on(STICK), home.on(CARD)
    assert home.content(CARD) == home.content(STICK) == BODY[: len(BODY) // 2]
    assert second.file_path == first.file_path
    assert second.file_path.endswith(".opus")
    assert (second.source_size, second.source_hash) == (len(BODY), first.source_hash)
    assert second.mime_type == first.mime_type
    assert home.parts() == []


def test_an_original_on_another_device_is_converted_without_asking_for_it_again(home: Home) -> None:
    home.bring(STICK)
    assert home.asked_again() == 1

    home.bring_as(CARD, OPUS)

    assert (home.asked_again(), len(home.converter.asked)) == (0, 1)
    assert home.content(CARD) == BODY[: len(BODY) // 2]
    assert home.on(CARD).source_hash == home.on(STICK).content_hash


def test_a_converted_file_is_never_copied_for_a_device_that_wants_another_format(
    home: Home,
) -> None:
    home.bring_as(STICK, OPUS)
    assert home.asked_again() == 1

    home.bring(CARD)

    assert home.asked_again() == 1
    assert home.content(CARD) == BODY


def damage(home: Home) -> None:
    """One byte falls over, with the same size and the same time."""
    place = home.stick / home.on(STICK).file_path
    facts = place.stat()
    with place.open("r+b") as file:
        file.seek(3 * MIB)
        file.write(bytes([BODY[3 * MIB] ^ 1]))
    os.utime(place, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def cut(home: Home) -> None:
    os.truncate(home.stick / home.on(STICK).file_path, MIB)


def delete(home: Home) -> None:
    (home.stick / home.on(STICK).file_path).unlink()


def plant_a_link(home: Home) -> None:
    place = home.stick / home.on(STICK).file_path
    elsewhere = home.stick.with_name("elsewhere")
    place.rename(elsewhere)
    place.symlink_to(elsewhere)


def unplug(home: Home) -> None:
    home.stick.rename(home.stick.with_name("pulled"))


def unplug_and_notice(home: Home) -> None:
    unplug(home)
    home.registry.look(settle=lambda _device: None)


def swap(home: Home) -> None:
    unplug(home)
    home.stick.mkdir()


def remove(home: Home) -> None:
    home.world.downloads.transitions.move(home.on(STICK), Move.DELETE)


def forget_the_hash(home: Home) -> None:
    home.world.db.sql("UPDATE downloads SET content_hash = NULL WHERE device_id = ?", (STICK,))


def make_it_another_version(home: Home) -> None:
    home.world.db.sql("UPDATE downloads SET source_etag = 'old' WHERE device_id = ?", (STICK,))


@pytest.mark.parametrize(
    "harm",
    [
        damage,
        cut,
        delete,
        plant_a_link,
        unplug,
        unplug_and_notice,
        swap,
        remove,
        forget_the_hash,
        make_it_another_version,
    ],
)
def test_whatever_is_wrong_with_the_first_one_jellyfin_is_asked(
    home: Home, harm: Callable[[Home], object]
) -> None:
    home.bring(STICK)
    with home.world.db.write():
        harm(home)
    home.asked_again()

    home.bring(CARD)

    assert home.asked_again() == 1
    there = home.on(CARD)
    assert (there.status, there.retry_count) == (Status.COMPLETED, 0)
    assert home.content(CARD) == BODY
    assert not any(CARD in subject for subject in home.problems.all_of(ProblemKind.DEVICE))


def test_what_the_account_may_no_longer_have_is_not_copied(home: Home) -> None:
    home.bring(STICK)
    home.wish(CARD)
    home.asked_again()
    with home.server.core.lock:
        home.server.core.users.by_id[home.user_id].policy["EnableContentDownloading"] = False

    home.worker.step()

    refused = home.on(CARD)
    assert refused.status is Status.FAILED
    assert home.asked_again() == 1
    assert not (home.card / refused.file_path).exists()


def test_a_file_that_is_newer_on_the_server_is_fetched_from_there(home: Home) -> None:
    home.bring(STICK)
    place = home.library / track(FIRST_LIGHT, 1, "Tone 1")["path"]
    newer = BODY[::-1]
    place.write_bytes(newer)
    os.utime(place, (1_900_000_000, 1_900_000_000))
    home.server.core.scan()
    home.asked_again()

    home.bring(CARD)

    assert home.asked_again() == 1
    assert home.content(CARD) == newer


def die_in_the_middle(home: Home, *, right: int, junk: int = 0) -> Download:
    """Leave the row and the part as a process that was killed while it copied."""
    home.wish(CARD)
    (claimed,) = home.world.downloads.queue.claim_together(home.world.clock.now(), at_most=1)
    home.world.downloads.transitions.transfer_started(
        claimed.id, Validator(None, len(BODY)), 0, anew=True
    )
    home.world.downloads.transitions.record_synced(claimed.id, right)
    with home.registry.get(CARD).folder.part(claimed.id).open() as part:
        part.write(BODY[:right] + bytes(junk))
    home.world.downloads.queue.recover()
    return home.on(CARD)


@pytest.mark.parametrize("junk", [0, 5000])
def test_a_copy_that_was_killed_goes_on_from_what_is_surely_there(home: Home, junk: int) -> None:
    home.bring(STICK)
    home.asked_again()
    waiting = die_in_the_middle(home, right=2 * MIB, junk=junk)
    assert (waiting.status, waiting.bytes_downloaded) == (Status.PENDING, 2 * MIB)

    assert home.worker.step()

    assert home.asked_again() == 0
    assert home.on(CARD).status is Status.COMPLETED
    assert home.content(CARD) == BODY


def test_nothing_of_a_killed_copy_is_mixed_with_what_jellyfin_sends(home: Home) -> None:
    home.bring(STICK)
    home.asked_again()
    die_in_the_middle(home, right=2 * MIB)
    part = next(iter(home.parts()))
    part.write_bytes(bytes(2 * MIB))
    unplug_and_notice(home)

    assert home.worker.step()

    assert home.asked_again() == 1
    assert home.content(CARD) == BODY


def test_a_part_that_jellyfin_began_is_finished_from_the_other_device(home: Home) -> None:
    home.bring(STICK)
    home.asked_again()
    download = die_in_the_middle(home, right=MIB)
    validator = Validator("Sun, 01 Nov 2026 10:00:00 GMT", len(BODY))
    home.world.downloads.queue.claim_together(home.world.clock.now(), at_most=1)
    home.world.downloads.transitions.transfer_started(download.id, validator, MIB)
    home.world.downloads.queue.recover()

    assert home.worker.step()

    assert home.asked_again() == 0
    assert home.content(CARD) == BODY
