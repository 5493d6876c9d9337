from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread, current_thread

import pytest
import xxhash
from pydantic import ByteSize, SecretStr

from sidecar.config import DeviceSettings, NetworkSettings
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Move, Status
from sidecar.domain.files.presets import PresetName
from sidecar.domain.transfers.failures import Failure, FailureClass
from sidecar.domain.transfers.network import Line, LineKind
from sidecar.domain.transfers.together import HELD_S, QUICK_FOR_EACH, QUICK_S
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import DatabaseError
from sidecar.events import DownloadChanged, WorkArrived
from sidecar.events import Event as News
from sidecar.jellyfin.tokens import TokenBox
from sidecar.process.threads import Wakeup
from sidecar.services.accounts.accounts import SERVER_ID, AccountService
from sidecar.services.accounts.permissions import PermissionRefresh
from sidecar.services.accounts.person import Person
from sidecar.services.devices.attached import CurrentSettings, unchanged
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.health.jellyfin_status import SUBJECT, JellyfinStatus
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.rules.wishes import WishService
from sidecar.services.space.planner import SpacePlanner
from sidecar.services.space.waits import Waits
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.failures import FailurePolicy
from sidecar.services.transfers.fetching.device_copy import DeviceCopy
from sidecar.services.transfers.fetching.fetch import CheckWhole, Fetcher, cannot_tell
from sidecar.services.transfers.fetching.progress import ProgressTracker
from sidecar.services.transfers.finishing.finish import Finisher
from sidecar.services.transfers.policy.blocking import SUBJECT as FILES
from sidecar.services.transfers.policy.blocking import FileBlocking
from sidecar.services.transfers.policy.network import LOOK_EVERY_S, NetworkPolicy
from sidecar.services.transfers.policy.next_download import HeldBack, NextDownload
from sidecar.services.transfers.policy.owners import OtherOwners
from sidecar.services.transfers.recovery import DeviceRecovery
from sidecar.services.transfers.worker import Worker
from sidecar.store.accounts.accounts import Account
from sidecar.store.downloads.filter import DownloadFilter
from sidecar.store.downloads.transitions import WholeFile
from sidecar.transfer.engine import Engine
from tests.fakes.engine import TableEngine
from tests.fakes.servers.answering import (
    UNAUTHORISED,
    Answering,
    Reply,
    Request,
    answering,
    json_reply,
)
from tests.patience import PATIENCE_S
from tests.services.conftest import ANN, STICK, World, track

SERVER = "5" * 32
ME = {"Id": ANN, "Name": "ann", "ServerId": SERVER}
PUBLIC = {"Id": SERVER, "Version": "12.0.0", "ProductName": "Jellyfin Server"}
ITEM = {"Id": track(1).id, "Type": "Audio", "Name": "Tone 1", "ServerId": SERVER}
BEN = "b" * 32
GONE = json_reply({"title": "Not Found", "status": 404}, 404)


@dataclass
class Works:
    """A worker with everything around it, real but for the engine and the server."""

    world: World
    engine: TableEngine
    server: Answering
    problems: Problems
    registry: DeviceRegistry
    settling: DeviceRecovery
    stick: Path
    worker: Worker
    claims: Claims
    rooms: list[SpacePlanner]
    network: NetworkPolicy
    accounts: AccountService
    owners: OtherOwners
    box: TokenBox
    blocking: FileBlocking

    def wish(self, number: int = 1, *, user_id: str = ANN, **facts: object) -> None:
        item = track(number, **{"size": len(self.engine.body), **facts})
        planning = WishService(
            self.world.db, self.world.holds, self.world.downloads, self.world.clock
        )
        reason = Reason("favourites", item.id, "your favourite")
        planning.hold([Wish(user_id, STICK, item, reason)], lambda _ids: {item.id: item})

    def with_room(self) -> SpacePlanner:
        """Let a `SpacePlanner` hold back and make room from now on."""
        world = self.world
        room = SpacePlanner(
            stores=world.stores,
            registry=self.registry,
            problems=self.problems,
            bus=world.bus,
            in_use=frozenset,
            clock=world.clock,
        )
        self.rooms.append(room)
        return room

    def now(self, number: int = 1) -> Download:
        found = self.world.downloads.queries.by_item(STICK, track(number).id)
        assert found is not None
        return found

    def permissions(self) -> PermissionRefresh:
        """Return what asks Jellyfin what the accounts may."""
        watch = JellyfinStatus(self.accounts.anonymous, self.problems, self.world.clock)
        return PermissionRefresh(self.accounts, watch, self.world.clock)

    def look(self) -> bool:
        return self.registry.look(settle=lambda device: self.settling.reconcile(device, []))

    def fail(self, kind: FailureClass, code: str = "test", *, times: int = 1) -> None:
        self.engine.failures.extend(Failure(kind, code, "it failed") for _ in range(times))


@pytest.fixture
def works(world: World, tmp_path: Path) -> Iterator[Works]:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    with answering(
        {"GET /Users/Me": json_reply(ME), "GET /System/Info/Public": json_reply(PUBLIC)}
    ) as server:
        built = build(world, server, stick, tmp_path)
        built.look()
        yield built
        built.registry.close()


def build(
    world: World,
    server: Answering,
    stick: Path,
    tmp_path: Path,
    current: CurrentSettings = unchanged,
    *,
    fetches: Engine | None = None,
    check_whole: CheckWhole = cannot_tell,
    wanted: Callable[[Download], str] = lambda download: download.format,
) -> Works:
    problems, engine = Problems(world.bus), TableEngine()
    transitions = world.downloads.transitions
    claims = Claims(lambda claimed: transitions.move_all(claimed, Move.POSTPONE))
    rooms: list[SpacePlanner] = []
    box = TokenBox(tmp_path / "token.key")
    world.meta.set(SERVER_ID, SERVER)
    world.accounts.save(
        Account(
            user_id=ANN,
            name="ann",
            server_id=SERVER,
            is_admin=False,
            may_download=True,
            jellyfin_device_id="sidecar-ann",
            token_encrypted=box.encrypt(SecretStr("secret")),
            is_signed_in=True,
            signed_in_at=world.clock.now(),
        )
    )
    accounts = AccountService(
        server.url,
        ca_file=None,
        stores=world.stores,
        box=box,
        problems=problems,
        bus=world.bus,
        clock=world.clock,
    )
    watch = JellyfinStatus(accounts.anonymous, problems, world.clock)
    settings = DeviceSettings(
        name="Car stick", path=stick, reserve=ByteSize(0), budget=ByteSize(1_000_000)
    )
    registry = DeviceRegistry(
        [settings],
        devices=world.devices,
        downloads=world.downloads,
        problems=problems,
        clock=world.clock,
        current=current,
    )
    blocking = FileBlocking(world.downloads, problems, world.clock)
    owners = OtherOwners(world.stores, accounts=accounts, server=watch, problems=problems)
    failing = FailurePolicy(
        downloads=world.downloads,
        accounts=accounts,
        registry=registry,
        server=watch,
        clock=world.clock,
        chance=lambda: 0.0,
        blocking=blocking,
        owners=owners,
        make_room=lambda download: any(one.make_room(download) for one in rooms),
    )
    world.bus.subscribe(failing.hear)
    network = NetworkPolicy(
        NetworkSettings,
        stores=world.stores,
        look=Line,
        registry=registry,
        claims=claims,
        bus=world.bus,
        clock=world.clock,
    )
    taking = NextDownload(
        downloads=world.downloads,
        registry=registry,
        server=watch,
        problems=problems,
        claims=claims,
        clock=world.clock,
        held_back=HeldBack(
            lambda: [number for one in rooms for number in one.held_back()],
            network.own_only,
        ),
        blocking=blocking,
    )
    worker = Worker(
        taking=taking,
        fetching=Fetcher(
            engine=fetches or engine,
            downloads=world.downloads,
            copies=DeviceCopy(registry, world.downloads),
            progress=ProgressTracker(world.bus, world.clock),
            came_through=blocking.came_through,
            check_whole=check_whole,
        ),
        finishing=Finisher(world.downloads, wanted=wanted),
        failing=failing,
        accounts=accounts,
        registry=registry,
    )
    settling = DeviceRecovery(world.downloads)
    return Works(
        world,
        engine,
        server,
        problems,
        registry,
        settling,
        stick,
        worker,
        claims,
        rooms,
        network,
        accounts,
        owners,
        box,
        blocking,
    )


QUICK_ENOUGH = 2 * QUICK_FOR_EACH + 1


def work_quickly(works: Works, waiting: int) -> None:
    """Let so many files arrive that more are claimed with the next, and have others wait."""
    for number in range(1, QUICK_ENOUGH + waiting + 1):
        works.wish(number)
    for _ in range(QUICK_ENOUGH):
        assert works.worker.step()


def count(works: Works, status: Status) -> int:
    return works.world.downloads.queries.counts(DownloadFilter())[status]


def test_while_files_arrive_quickly_the_next_ones_are_claimed_together(works: Works) -> None:
    work_quickly(works, waiting=10)
    assert count(works, Status.DOWNLOADING)

    while works.worker.step():
        pass

    assert count(works, Status.COMPLETED) == QUICK_ENOUGH + 10
    assert works.claims.busy() == []
    # In the order in which they were asked for.
    asked = [job.url for job in works.engine.jobs]
    assert asked == [
        f"{works.server.url}/Items/{track(number).id}/Download"
        for number in range(1, QUICK_ENOUGH + 11)
    ]


def test_what_is_more_urgent_comes_before_what_was_claimed_a_second_ago(works: Works) -> None:
    work_quickly(works, waiting=10)
    last = works.now(QUICK_ENOUGH + 10)
    assert works.world.downloads.queue.prioritise(last, 5)

    works.world.clock.advance(HELD_S + 0.1)
    works.worker.step()

    assert works.engine.jobs[-1].url.endswith(f"/Items/{last.item_id}/Download")
    assert count(works, Status.DOWNLOADING) == 0


def test_what_was_claimed_ahead_goes_back_while_the_server_is_away(works: Works) -> None:
    work_quickly(works, waiting=10)
    works.fail(FailureClass.SERVER_AWAY)
    works.worker.step()

    assert not works.worker.step()

    assert count(works, Status.DOWNLOADING) == 0
    assert works.claims.busy() == []
    assert len(works.engine.jobs) == QUICK_ENOUGH + 1


def test_what_was_claimed_ahead_goes_back_while_all_workers_are_busy_for_long(
    works: Works,
) -> None:
    work_quickly(works, waiting=10)
    assert count(works, Status.DOWNLOADING)
    works.worker._taking.give_back_held()
    assert count(works, Status.DOWNLOADING)

    works.world.clock.advance(HELD_S + 0.1)
    works.worker._taking.give_back_held()

    assert count(works, Status.DOWNLOADING) == 0
    assert works.claims.busy() == []


def test_a_slow_file_ends_that_others_are_claimed_with_it(works: Works) -> None:
    work_quickly(works, waiting=10)
    works.claims.give_back()
    works.engine.meanwhile = lambda _job: works.world.clock.advance(QUICK_S + 0.1)

    for _ in range(2):
        works.worker.step()
        works.claims.give_back()
    works.engine.meanwhile = lambda _job: None
    works.worker.step()

    assert count(works, Status.DOWNLOADING) == 0


def test_nothing_to_do_is_said(works: Works) -> None:
    assert not works.worker.step()


def test_a_download_arrives_whole_under_its_name(works: Works) -> None:
    works.wish()

    assert works.worker.step()

    there = works.now()
    assert there.status is Status.COMPLETED
    assert (works.stick / there.file_path).read_bytes() == works.engine.body
    assert there.content_hash == xxhash.xxh3_128_hexdigest(works.engine.body)
    assert there.file_size == len(works.engine.body)
    assert list((works.stick / ".sidecar" / "parts").iterdir()) == []


def test_the_engine_is_given_the_address_and_the_only_header(works: Works) -> None:
    works.wish()
    works.worker.step()

    (job,) = works.engine.jobs
    assert job.url == f"{works.server.url}/Items/{track(1).id}/Download"
    assert list(job.headers) == ["Authorization"]


def test_a_passing_failure_is_tried_again_after_5_15_and_45_seconds(works: Works) -> None:
    works.wish()
    works.fail(FailureClass.TRANSIENT, times=4)

    for wait in (5, 15, 45):
        assert works.worker.step()
        assert works.now().retry_next_at == works.world.clock.now() + timedelta(seconds=wait)
        assert not works.worker.step()
        works.world.clock.advance(wait)
    works.worker.step()

    given_up = works.now()
    assert given_up.status is Status.FAILED
    assert given_up.retry_next_at == works.world.clock.now() + timedelta(hours=1)
    assert given_up.error_message == "it failed"


def test_a_server_that_is_away_uses_nothing_up_and_is_asked_by_nobody(works: Works) -> None:
    works.wish(1)
    works.wish(2)
    works.fail(FailureClass.SERVER_AWAY)

    works.worker.step()

    assert not works.worker.step()
    assert len(works.engine.jobs) == 1
    assert (works.now().status, works.now().retry_count) == (Status.PENDING, 0)
    assert works.problems.of(ProblemKind.SERVER, SUBJECT) is not None


def test_a_refused_token_that_jellyfin_confirms_stops_all_of_that_account(works: Works) -> None:
    works.wish(1)
    works.wish(2)
    works.fail(FailureClass.SIGNED_OUT)
    works.server.routes["GET /Users/Me"] = UNAUTHORISED

    works.worker.step()

    assert not works.worker.step()
    assert (works.now().status, works.now().retry_count) == (Status.PENDING, 0)
    assert works.problems.of(ProblemKind.ACCOUNT, ANN) is not None


def test_what_is_refused_outside_an_accounts_hours_waits_and_comes_back_by_itself(
    works: Works,
) -> None:
    works.wish(1)
    works.wish(2)
    works.fail(FailureClass.REFUSED, "http-403")
    works.server.routes["GET /Users/Me"] = Reply(403)
    rights = works.permissions()

    works.worker.step()

    assert not works.worker.step()
    assert (works.now().status, works.now().retry_count) == (Status.PENDING, 0)
    trouble = works.problems.of(ProblemKind.ACCOUNT, ANN)
    assert trouble is not None
    assert "outside ann's hours" in trouble.text
    rights.step()
    assert not works.worker.step()

    works.server.routes["GET /Users/Me"] = json_reply(ME)
    rights.step()

    assert works.problems.of(ProblemKind.ACCOUNT, ANN) is None
    assert works.worker.step()
    assert works.worker.step()
    assert {works.now(1).status, works.now(2).status} == {Status.COMPLETED}


def test_hours_that_are_over_are_noticed_before_anything_is_fetched(works: Works) -> None:
    works.wish()
    works.server.routes["GET /Users/Me"] = Reply(403)

    works.permissions().step()

    assert not works.worker.step()
    assert works.engine.jobs == []


def test_what_jellyfin_refuses_for_this_file_alone_has_failed(works: Works) -> None:
    works.wish()
    works.fail(FailureClass.REFUSED, "http-403")

    works.worker.step()

    assert works.now().status is Status.FAILED
    assert works.problems.of(ProblemKind.ACCOUNT, ANN) is None


def test_what_was_refused_for_a_right_returns_with_the_right(works: Works) -> None:
    def may_download(*, value: bool) -> None:
        told = {**ME, "Policy": {"EnableContentDownloading": value}}
        works.server.routes["GET /Users/Me"] = json_reply(told)

    works.wish(1)
    works.wish(2, can_download=False)
    works.wish(3)
    works.fail(FailureClass.REFUSED, "http-403")
    works.fail(FailureClass.REFUSED, "name-taken")
    may_download(value=False)
    while works.worker.step():
        pass
    assert {works.now(number).status for number in (1, 2, 3)} == {Status.FAILED}
    works.permissions().step()
    assert works.now(1).status is Status.FAILED

    may_download(value=True)
    works.permissions().step()
    while works.worker.step():
        pass

    assert (works.now(1).status, works.now(2).status) == (Status.COMPLETED, Status.COMPLETED)
    assert works.now(3).error_code == "name-taken"


def drain(works: Works) -> int:
    """Let the worker do all it can now; return how many files it asked for."""
    before = len(works.engine.jobs)
    while works.worker.step():
        pass
    return len(works.engine.jobs) - before


def retry_due(works: Works) -> None:
    for one in works.world.downloads.queries.failed_and_due(works.world.clock.now()):
        works.world.downloads.transitions.retry(one)


def statuses(works: Works, *numbers: int) -> list[Status]:
    return [works.now(number).status for number in numbers]


def test_what_something_before_jellyfin_refuses_waits_for_one_try_and_goes_on_by_itself(
    works: Works,
) -> None:
    numbers = range(1, 9)
    for number in numbers:
        works.wish(number)
    works.fail(FailureClass.BLOCKED, "refused-before", times=5)

    assert drain(works) == 3  # the other five are not tried in vain
    trouble = works.problems.of(ProblemKind.SERVER, FILES)
    assert trouble is not None
    assert "go on by themselves" in trouble.text
    assert works.problems.all_of(ProblemKind.ACCOUNT) == {}
    for pause in (60, 120):
        works.world.clock.advance(pause - 1)
        assert drain(works) == 0
        works.world.clock.advance(1)
        assert drain(works) == 1

    # Who does not want to wait has one more tried at once.
    retry_due(works)
    assert drain(works) == 0
    works.blocking.try_now()
    assert drain(works) == 8

    assert statuses(works, *numbers) == [Status.COMPLETED] * 8
    assert works.problems.of(ProblemKind.SERVER, FILES) is None


def test_a_file_that_is_refused_for_itself_stops_no_other(works: Works) -> None:
    for number in range(1, 5):
        works.wish(number)
    refused = Failure(FailureClass.BLOCKED, "html", "a page")
    works.engine.failures.extend([refused, refused, None, refused, refused])

    drain(works)

    assert statuses(works, 1, 2, 3, 4) == [Status.FAILED, Status.FAILED] + [Status.COMPLETED] * 2
    assert works.problems.of(ProblemKind.SERVER, FILES) is None


def test_files_that_are_refused_for_themselves_again_and_again_close_nothing(works: Works) -> None:
    for number in (1, 2, 3, 4):
        works.wish(number)
    works.fail(FailureClass.BLOCKED, "html", times=3)
    drain(works)
    assert works.problems.of(ProblemKind.SERVER, FILES) is not None
    works.world.clock.advance(60)
    # The fourth is tried and comes; the three are tried again at once, and refused again.
    works.engine.failures.extend([None, *[Failure(FailureClass.BLOCKED, "html", "no")] * 3])
    assert drain(works) == 4
    assert works.problems.of(ProblemKind.SERVER, FILES) is None

    works.wish(5)
    drain(works)

    assert works.now(5).status is Status.COMPLETED


@pytest.mark.parametrize("code", ["http-403", "http-400"])
def test_a_refusal_that_jellyfin_contradicts_is_not_jellyfins(works: Works, code: str) -> None:
    works.server.routes["GET /Users/Me"] = json_reply(
        {**ME, "Policy": {"EnableContentDownloading": True}}
    )
    works.server.routes[f"GET /Items/{track(1).id}"] = json_reply({**ITEM, "CanDownload": True})
    works.wish()
    works.fail(FailureClass.REFUSED, code)

    works.worker.step()

    refused = works.now()
    assert (refused.status, refused.error_code) == (Status.FAILED, "refused-before")
    assert refused.retry_next_at == works.world.clock.now() + timedelta(minutes=5)
    assert works.accounts.signed_in()[0].may_download


@pytest.mark.parametrize("code", ["http-403", "http-400"])
def test_a_refusal_that_jellyfin_confirms_of_the_item_is_final(works: Works, code: str) -> None:
    works.server.routes[f"GET /Items/{track(1).id}"] = json_reply({**ITEM, "CanDownload": False})
    works.wish()
    works.fail(FailureClass.REFUSED, code)

    works.worker.step()

    refused = works.now()
    assert (refused.error_code, refused.retry_next_at) == (code, None)


def sign_in_ben(works: Works, *, may_download: bool = True, can_download: bool = True) -> None:
    """Sign in a second account, to which the server answers with these rights."""
    works.world.accounts.save(
        Account(
            user_id=BEN,
            name="ben",
            server_id=SERVER,
            is_admin=False,
            may_download=may_download,
            jellyfin_device_id="sidecar-ben",
            token_encrypted=works.box.encrypt(SecretStr("bens")),
            is_signed_in=True,
            signed_in_at=works.world.clock.now(),
        )
    )
    ann = works.server.routes["GET /Users/Me"]

    def me(request: Request) -> Reply:
        if "bens" in request.headers["Authorization"]:
            return json_reply(
                {
                    "Id": BEN,
                    "Name": "ben",
                    "ServerId": SERVER,
                    "Policy": {"EnableContentDownloading": may_download},
                }
            )
        return ann(request) if callable(ann) else ann

    def item(request: Request) -> Reply:
        is_ben = "bens" in request.headers["Authorization"]
        return json_reply({**ITEM, "CanDownload": can_download}) if is_ben else GONE

    works.server.routes["GET /Users/Me"] = me
    works.server.routes[f"GET /Items/{track(1).id}"] = item


def token_of(works: Works) -> str:
    return "ben" if "bens" in works.engine.jobs[-1].headers["Authorization"] else "ann"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FailureClass.REFUSED, "http-403"),
        (FailureClass.REFUSED, "http-400"),
        (FailureClass.FILE_AWAY, "http-404"),  # a library that ann does not see
    ],
)
def test_what_one_owner_may_not_have_another_fetches(
    works: Works, kind: FailureClass, code: str
) -> None:
    works.server.routes["GET /Users/Me"] = json_reply(
        {**ME, "Policy": {"EnableContentDownloading": False}}
    )
    sign_in_ben(works)
    works.wish()
    works.wish(user_id=BEN)
    works.fail(kind, code)

    drain(works)

    assert (works.now().status, token_of(works)) == (Status.COMPLETED, "ben")


def test_what_no_owner_may_have_fails_after_each_was_asked_once(works: Works) -> None:
    works.server.routes["GET /Users/Me"] = json_reply(
        {**ME, "Policy": {"EnableContentDownloading": False}}
    )
    sign_in_ben(works, can_download=False)
    works.wish()
    works.wish(user_id=BEN)
    works.fail(FailureClass.REFUSED, "http-403")

    assert drain(works) == 1

    assert works.now().status is Status.FAILED


def test_what_is_refused_to_the_one_who_asked_first_is_anothers_when_they_want_it(
    works: Works,
) -> None:
    sign_in_ben(works)
    works.wish(can_download=False)
    assert works.now().error_code == "not-allowed"

    works.wish(user_id=BEN)
    drain(works)

    assert (works.now().status, token_of(works)) == (Status.COMPLETED, "ben")


def test_a_right_given_to_another_owner_brings_what_was_refused(works: Works) -> None:
    sign_in_ben(works, may_download=False)
    works.wish(user_id=BEN, can_download=False)
    works.wish()
    works.fail(FailureClass.REFUSED, "not-allowed")
    assert drain(works) == 1
    assert (works.now().status, works.now().user_id) == (Status.FAILED, ANN)
    works.server.routes["GET /Users/Me"] = lambda request: json_reply(
        {
            **ME,
            **({"Id": BEN, "Name": "ben"} if "bens" in request.headers["Authorization"] else {}),
            "Policy": {"EnableContentDownloading": "bens" in request.headers["Authorization"]},
        }
    )

    works.permissions().step()
    drain(works)

    assert (works.now().status, token_of(works)) == (Status.COMPLETED, "ben")


def test_what_waits_for_an_account_another_owner_fetches_meanwhile(works: Works) -> None:
    works.server.routes["GET /Users/Me"] = Reply(403)
    sign_in_ben(works)
    works.wish(1)
    works.wish(1, user_id=BEN)
    works.wish(2)
    works.permissions().step()
    assert works.problems.of(ProblemKind.ACCOUNT, ANN) is not None
    assert drain(works) == 0

    works.owners.step()
    drain(works)

    assert (works.now(1).status, token_of(works)) == (Status.COMPLETED, "ben")
    assert works.now(2).status is Status.PENDING


def test_what_is_refused_to_the_other_waits_for_the_first_again(works: Works) -> None:
    works.server.routes["GET /Users/Me"] = Reply(403)
    sign_in_ben(works)
    works.server.routes[f"GET /Items/{track(1).id}"] = GONE
    works.wish()
    works.wish(user_id=BEN)
    works.permissions().step()
    works.owners.step()
    works.fail(FailureClass.FILE_AWAY, "http-404")

    drain(works)
    works.owners.step()

    assert drain(works) == 0
    assert (works.now().status, works.now().user_id) == (Status.PENDING, ANN)


def test_an_account_that_was_signed_out_before_the_start_is_asked_for_nothing(works: Works) -> None:
    works.world.accounts.mark_signed_out(ANN)
    works.wish()

    assert works.worker.step()

    assert not works.worker.step()
    trouble = works.problems.of(ProblemKind.ACCOUNT, ANN)
    assert trouble is not None
    assert "must sign in again" in trouble.text


def test_only_the_old_token_is_refused_after_a_sign_in_and_nothing_is_said_of_it(
    works: Works,
) -> None:
    works.wish()
    works.fail(FailureClass.SIGNED_OUT, "http-401")
    policy = {"IsAdministrator": False, "EnableContentDownloading": True}
    user = {"Id": ANN, "Name": "ann", "ServerId": SERVER, "Policy": policy}
    anew = {"User": user, "AccessToken": "another", "ServerId": SERVER}
    works.server.routes["POST /Users/AuthenticateByName"] = json_reply(anew)

    def refuse_once_signed_in_anew(_request: Request) -> Reply:
        works.accounts.with_password("ann", SecretStr("pw"))
        return UNAUTHORISED

    works.server.routes["GET /Users/Me"] = refuse_once_signed_in_anew

    works.worker.step()

    waits = works.now()
    assert (waits.status, waits.error_code, waits.retry_next_at) == (Status.PENDING, None, None)
    assert works.problems.of(ProblemKind.ACCOUNT, ANN) is None
    works.worker.step()
    assert works.now().status is Status.COMPLETED


def test_a_401_that_users_me_contradicts_is_only_a_passing_failure(works: Works) -> None:
    works.wish()
    works.fail(FailureClass.SIGNED_OUT)

    works.worker.step()

    assert works.problems.of(ProblemKind.ACCOUNT, ANN) is None
    assert (works.now().status, works.now().retry_count) == (Status.PENDING, 1)


def test_a_file_that_is_away_while_its_item_is_known_waits_and_uses_nothing_up(
    works: Works,
) -> None:
    works.wish()
    works.fail(FailureClass.FILE_AWAY, "http-404")
    works.server.routes[f"GET /Items/{track(1).id}"] = json_reply(ITEM)

    works.worker.step()

    away = works.now()
    assert (away.status, away.error_code, away.retry_count) == (Status.PENDING, "file-away", 0)
    assert away.retry_next_at == works.world.clock.now() + timedelta(minutes=5)


def test_many_files_that_are_away_are_looked_for_once_in_five_minutes_in_all(
    works: Works,
) -> None:
    for number in (1, 2, 3):
        works.wish(number)
        works.server.routes[f"GET /Items/{track(number).id}"] = json_reply(
            {**ITEM, "Id": track(number).id}
        )
    works.fail(FailureClass.FILE_AWAY, "http-404", times=3)
    for _ in range(3):
        works.worker.step()

    waits = sorted(
        works.now(number).retry_next_at or works.world.clock.now() for number in (1, 2, 3)
    )

    assert [at - works.world.clock.now() for at in waits] == [
        timedelta(minutes=minutes) for minutes in (5, 10, 15)
    ]


def test_when_one_file_is_back_all_that_were_away_are_fetched(works: Works) -> None:
    test_many_files_that_are_away_are_looked_for_once_in_five_minutes_in_all(works)
    works.world.clock.advance(300)

    assert [works.worker.step() for _ in range(4)] == [True, True, True, False]

    assert {works.now(number).status for number in (1, 2, 3)} == {Status.COMPLETED}


def test_an_item_that_got_another_id_while_its_file_was_asked_for_is_not_gone(
    works: Works,
) -> None:
    works.wish()
    was = works.now()
    works.fail(FailureClass.FILE_AWAY)

    def follow(_request: Request) -> Reply:
        """The look at the library finds it first, as the row can say no more than once."""
        works.world.downloads.identity.follow({was.item_id: track(2, size=len(works.engine.body))})
        return GONE

    works.server.routes[f"GET /Items/{was.item_id}"] = follow
    works.worker.step()

    assert (works.now(2).id, works.now(2).status) == (was.id, Status.PENDING)
    assert works.now(2).error_code is None
    assert works.worker.step()
    assert works.now(2).status is Status.COMPLETED


def test_an_item_that_is_gone_is_failed_for_good(works: Works) -> None:
    works.wish()
    works.fail(FailureClass.FILE_AWAY, "http-404")
    works.server.routes[f"GET /Items/{track(1).id}"] = GONE

    works.worker.step()

    gone = works.now()
    assert (gone.status, gone.error_code, gone.retry_next_at) == (Status.FAILED, "gone", None)


def test_a_device_that_fails_stops_its_queue_with_one_message(works: Works) -> None:
    works.wish(1)
    works.wish(2)
    works.fail(FailureClass.DEVICE, "read-only")

    works.worker.step()

    assert not works.worker.step()
    assert works.now().status is Status.PENDING
    ((device_id, problem),) = works.problems.all_of(ProblemKind.DEVICE).items()
    assert device_id == STICK
    assert problem.text.startswith("Car stick is read-only")

    works.look()

    assert works.worker.step()


def test_a_stick_that_was_pulled_gets_nothing_and_loses_nothing(works: Works) -> None:
    works.wish()
    works.stick.rename(works.stick.with_name("elsewhere"))
    works.stick.mkdir()

    works.worker.step()

    trouble = works.problems.of(ProblemKind.DEVICE, STICK)
    assert trouble is not None
    assert works.engine.jobs == []
    assert list(works.stick.iterdir()) == []
    assert works.now().status is Status.PENDING


def test_an_item_larger_than_the_budget_is_refused_at_once(works: Works) -> None:
    works.wish(size=2_000_000)

    works.worker.step()

    refused = works.now()
    assert (refused.status, refused.error_code) == (Status.FAILED, "too-big")
    assert works.engine.jobs == []
    assert works.problems.all_of(ProblemKind.DEVICE) == {}


def test_a_used_up_budget_stops_the_queue_until_there_is_room(works: Works) -> None:
    works.wish(1, size=900_000)
    works.engine.body = b"x" * 900_000
    works.worker.step()
    works.wish(2, size=500_000)

    works.worker.step()

    trouble = works.problems.of(ProblemKind.DEVICE, STICK)
    assert trouble is not None
    assert (trouble.code, trouble.needed) == ("budget", 500_000)
    works.look()
    assert not works.worker.step()

    works.world.downloads.transitions.move(works.now(1), Move.DELETE)
    works.look()
    works.engine.body = b"x" * 500_000
    assert works.worker.step()
    assert works.now(2).status is Status.COMPLETED


def test_what_must_wait_for_room_stops_neither_the_device_nor_smaller_ones(works: Works) -> None:
    """With somebody who makes room, what does not fit waits alone and comes when it fits."""
    room = works.with_room()
    works.wish(1, size=900_000)
    works.engine.body = b"x" * 900_000
    works.worker.step()
    works.wish(2, size=500_000)
    works.wish(3, size=50_000)
    works.engine.body = b"x" * 50_000

    assert works.worker.step()
    assert works.worker.step()
    assert not works.worker.step()

    states = [works.now(number).status for number in (1, 2, 3)]
    assert states == [Status.COMPLETED, Status.PENDING, Status.COMPLETED]
    assert works.problems.all_of(ProblemKind.DEVICE) == {}

    works.world.holds.release(user_id=ANN, at=works.world.clock.now(), item_id=track(1).id)
    room.step()
    works.engine.body = b"x" * 500_000
    assert works.worker.step()
    assert works.now(1).status is Status.REMOVED
    assert works.now(2).status is Status.COMPLETED
    assert not (works.stick / works.now(1).file_path).exists()


def test_a_foreign_file_is_never_overwritten_ours_goes_beside_it(works: Works) -> None:
    works.wish()
    place = works.stick / works.now().file_path
    place.parent.mkdir(parents=True)
    place.write_bytes(b"somebody's own")

    works.worker.step()
    works.worker.step()

    there = works.now()
    assert there.status is Status.COMPLETED
    assert place.read_bytes() == b"somebody's own"
    assert (works.stick / there.file_path).read_bytes() == works.engine.body
    assert (works.stick / there.file_path).parent == place.parent


def test_a_stick_that_was_pulled_and_put_back_is_used_again(works: Works) -> None:
    works.wish()
    away = works.stick.rename(works.stick.with_name("pulled"))
    works.worker.step()
    works.look()
    assert works.registry.all() == []

    away.rename(works.stick)
    assert works.look()

    assert works.worker.step()
    assert works.now().status is Status.COMPLETED


def test_what_is_paused_meanwhile_stays_paused(works: Works) -> None:
    works.wish()

    def pause(_job: object) -> None:
        works.world.downloads.transitions.pause(works.now())
        works.claims.stop(works.now().id)

    works.engine.meanwhile = pause

    works.worker.step()

    assert works.now().status is Status.PAUSED


def waits_of(works: Works, download: Download) -> str:
    waits = Waits(
        problems=works.problems,
        trouble_of=works.registry.trouble_of,
        settings_of=lambda _device: None,
        verdict_on=works.network.verdict_on,
        waiting_for_room=lambda _device: None,
        holds=works.world.holds,
        clock=works.world.clock,
    )
    return " ".join(one.text for one in waits.of_one(Person(ANN, "ann", is_admin=False), download))


def test_what_rules_want_waits_while_transfers_are_paused_and_then_goes_on(works: Works) -> None:
    works.wish()
    works.network.pause(paused=True)

    assert not works.worker.step()
    assert works.now().status is Status.PENDING
    assert "paused" in waits_of(works, works.now())

    works.network.pause(paused=False)
    assert works.worker.step()
    assert works.now().status is Status.COMPLETED


def test_what_a_person_asked_for_is_fetched_while_transfers_are_paused(works: Works) -> None:
    works.wish(1)
    works.wish(2)
    works.network.pause(paused=True)
    why = Reason("pin", track(2).id, "downloaded by you")
    works.world.holds.keep(Wish(ANN, STICK, track(2), why))

    assert [works.worker.step() for _ in range(2)] == [True, False]

    assert (works.now(1).status, works.now(2).status) == (Status.PENDING, Status.COMPLETED)
    assert waits_of(works, works.now(2)) == ""


def test_what_the_network_rule_stops_keeps_all_its_tries(works: Works) -> None:
    works.wish()
    works.engine.meanwhile = lambda _job: works.network.pause(paused=True)

    assert works.worker.step()

    stopped = works.now()
    assert (stopped.status, stopped.retry_count, stopped.retry_next_at) == (Status.PENDING, 0, None)
    assert not works.worker.step()


def test_a_line_that_turns_metered_stops_what_runs_and_a_free_one_lets_it_go_on(
    works: Works,
) -> None:
    lines = [Line(LineKind.WIFI, is_metered=False)]
    works.network._look = lambda: lines[-1]
    works.wish()

    def pay(_job: object) -> None:
        lines.append(Line(LineKind.OTHER, is_metered=True))
        works.world.clock.advance(LOOK_EVERY_S)
        works.network.step()

    works.engine.meanwhile = pay
    works.worker.step()
    assert works.now().status is Status.PENDING
    works.world.news.clear()

    lines.append(Line(LineKind.WIFI, is_metered=False))
    works.world.clock.advance(LOOK_EVERY_S)
    works.engine.meanwhile = lambda _job: None
    works.network.step()

    assert WorkArrived() in works.world.news
    assert works.worker.step()
    assert works.now().status is Status.COMPLETED


def test_an_admin_lets_through_what_waits_for_the_hour_or_the_network(works: Works) -> None:
    metered = Line(LineKind.OTHER, is_metered=True)
    lines = [metered]
    works.network._look = lambda: lines[-1]
    quiet = NetworkSettings.model_validate({"quiet_hours": ["11:00-13:00"], "time_zone": "UTC"})
    works.network._settings = lambda: quiet

    def goes_over(line: Line) -> bool:
        lines.append(line)
        works.world.clock.advance(LOOK_EVERY_S)
        return not works.network.verdict().own_only

    works.wish()
    assert not works.worker.step()

    works.network.try_now()

    assert works.worker.step()
    assert works.now().status is Status.COMPLETED
    # Only in these hours, and only over this connection.
    works.world.clock.advance(24 * 3600 - 60)
    assert "Quiet hours" in str(works.network.verdict().text)
    works.network._settings = NetworkSettings
    assert goes_over(metered)
    assert goes_over(Line(LineKind.WIFI, is_metered=False))
    assert not goes_over(metered)


def test_what_is_cancelled_meanwhile_never_appears(works: Works) -> None:
    works.wish()

    def cancel(_job: object) -> None:
        works.world.downloads.queue.cancel(works.now())

    works.engine.meanwhile = cancel

    works.worker.step()

    assert works.world.downloads.queries.by_item(STICK, track(1).id) is None
    assert list(works.stick.rglob("*.flac")) == []


def test_a_bug_of_ours_fails_one_download_not_the_queue(works: Works) -> None:
    works.wish(1)
    works.wish(2)
    works.engine.failures.append(RuntimeError("a bug"))

    with pytest.raises(RuntimeError):
        works.worker.step()

    assert (works.now(1).status, works.now(1).error_code) == (Status.PENDING, "internal")
    assert works.worker.step()
    assert works.now(2).status is Status.COMPLETED


def test_what_fails_right_after_its_claim_is_held_by_nobody(
    works: Works, world: World, tmp_path: Path
) -> None:
    works.registry.close()
    answers = iter([DatabaseError("the connection is gone")])

    def wanted(download: Download) -> str:
        for error in answers:
            raise error
        return download.format

    works = build(world, works.server, works.stick, tmp_path, wanted=wanted)
    works.look()
    works.wish(1)

    with pytest.raises(DatabaseError):
        works.worker.step()

    assert works.claims.busy() == []
    assert works.now().status is Status.PENDING
    works.world.clock.advance(5)
    assert works.worker.step()
    assert works.now().status is Status.COMPLETED
    works.registry.close()


def test_a_crash_after_the_rename_is_completed_from_the_file(works: Works) -> None:
    works.wish()
    (claimed,) = works.world.downloads.queue.claim_together(works.world.clock.now(), at_most=1)
    body = b"sound"
    works.world.downloads.transitions.mark_all_finalizing(
        [(claimed.id, WholeFile(len(body), "0" * 32, None), {})]
    )
    place = works.stick / claimed.file_path
    place.parent.mkdir(parents=True)
    place.write_bytes(body)

    (device,) = works.registry.all()
    works.settling.reconcile(device, works.world.downloads.queue.recover())

    assert works.now().status is Status.COMPLETED
    assert works.engine.jobs == []


def test_a_crash_before_the_rename_is_completed_from_the_part(works: Works) -> None:
    works.wish()
    (claimed,) = works.world.downloads.queue.claim_together(works.world.clock.now(), at_most=1)
    works.world.downloads.transitions.mark_all_finalizing(
        [(claimed.id, WholeFile(5, "0" * 32, None), {})]
    )
    (device,) = works.registry.all()
    with device.folder.part(claimed.id).open() as part:
        part.write(b"sound")

    works.settling.reconcile(device, works.world.downloads.queue.recover())

    assert works.now().status is Status.COMPLETED
    assert (works.stick / claimed.file_path).read_bytes() == b"sound"


def test_after_a_crash_a_file_of_a_person_with_the_name_and_the_size_is_not_taken_for_ours(
    works: Works,
) -> None:
    works.wish()
    (claimed,) = works.world.downloads.queue.claim_together(works.world.clock.now(), at_most=1)
    body, theirs = b"sound", b"voice"
    works.world.downloads.transitions.mark_all_finalizing(
        [(claimed.id, WholeFile(5, xxhash.xxh3_128_hexdigest(body), None), {})]
    )
    (device,) = works.registry.all()
    with device.folder.part(claimed.id).open() as part:
        part.write(body)
    place = works.stick / claimed.file_path
    place.parent.mkdir(parents=True)
    place.write_bytes(theirs)

    works.settling.reconcile(device, works.world.downloads.queue.recover())

    assert place.read_bytes() == theirs
    assert works.now().status is Status.COMPLETED
    assert works.now().file_path != claimed.file_path
    assert (works.stick / works.now().file_path).read_bytes() == body


def test_a_crash_that_left_neither_starts_over(works: Works) -> None:
    works.wish()
    (claimed,) = works.world.downloads.queue.claim_together(works.world.clock.now(), at_most=1)
    works.world.downloads.transitions.mark_all_finalizing(
        [(claimed.id, WholeFile(5, "0" * 32, None), {})]
    )
    (device,) = works.registry.all()

    works.settling.reconcile(device, works.world.downloads.queue.recover())

    assert works.now().status is Status.PENDING


def test_a_completed_file_of_another_size_is_damaged_and_fetched_again(works: Works) -> None:
    works.wish()
    works.worker.step()
    spoiled = works.stick / works.now().file_path
    spoiled.write_bytes(b"")
    written = works.world.clock.now().timestamp()
    os.utime(spoiled, (written, written))
    (device,) = works.registry.all()

    works.settling.reconcile(device, [])

    assert (works.now().status, works.now().error_code) == (Status.PENDING, "damaged")


def test_a_completed_file_that_somebody_wrote_to_later_is_not_fetched_over_it(
    works: Works,
) -> None:
    works.wish()
    works.worker.step()
    (works.stick / works.now().file_path).write_bytes(b"tagged by hand")
    later = works.world.clock.now().timestamp() + 60
    os.utime(works.stick / works.now().file_path, (later, later))
    (device,) = works.registry.all()

    works.settling.reconcile(device, [])

    assert works.now().status is Status.COMPLETED


def test_parts_of_nobody_are_swept_and_only_those(works: Works) -> None:
    works.wish()
    (device,) = works.registry.all()
    for number in (works.now().id, 999):
        with device.folder.part(number).open() as part:
            part.write(b"x")
    foreign = works.stick / ".sidecar" / "parts" / "notes.txt"
    foreign.write_text("mine")

    works.settling.reconcile(device, [])

    left = sorted(one.name for one in foreign.parent.iterdir())
    assert left == [f"{works.now().id}.part", "notes.txt"]


@pytest.mark.parametrize(
    ("preset", "order"), [(PresetName.CAR, [1, 2, 3]), (PresetName.GENERIC, [3, 1, 2])]
)
def test_a_car_plays_in_the_order_in_which_files_came_so_they_come_in_the_albums(
    world: World, tmp_path: Path, preset: PresetName, order: list[int]
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))

    def current(_device_id: str, one: DeviceSettings) -> DeviceSettings:
        return one.model_copy(update={"preset": preset})

    with answering() as server:
        works = build(world, server, stick, tmp_path, current)
        works.look()
        for number in (3, 1, 2):
            works.wish(number)

        came = []
        while works.worker.step():
            done = [number for number in order if works.now(number).status is Status.COMPLETED]
            came += [number for number in done if number not in came]
        works.registry.close()

    assert came == order


def test_what_a_plan_lets_in_while_a_worker_finds_nothing_is_fetched_at_once(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than anybody waits: only what was told ends it.
    monkeypatch.setattr("sidecar.services.transfers.worker.IDLE_S", 10 * PATIENCE_S)
    stop, wakeup, room = Event(), Wakeup(), works.with_room()
    works.wish()
    room.make_room(works.now())
    usual = works.world.clock.now

    def work() -> None:
        with works.world.db.thread():
            works.worker.run(stop, wakeup)

    thread = Thread(target=work, daemon=True)

    def now() -> datetime:
        # Between the look at what is held back and the claim.
        if current_thread() is thread and not wakeup.rings:
            room.step()
            wakeup.set()
        return usual()

    def hear(news: News) -> None:
        if isinstance(news, DownloadChanged) and news.now is Status.COMPLETED:
            stop.set()
            wakeup.end()

    monkeypatch.setattr(works.world.clock, "now", now)
    works.world.bus.subscribe(hear)
    thread.start()
    thread.join(PATIENCE_S)

    assert works.now().status is Status.COMPLETED
