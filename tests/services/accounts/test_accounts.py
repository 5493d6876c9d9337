from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from pydantic import SecretStr

from sidecar.assembly.store import KEY_FILE
from sidecar.clock import SystemClock
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.errors import SidecarError, SignedOut
from sidecar.events import AccountChanged, Bus, NewsMissed, Sender
from sidecar.events import Event as News
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.health.jellyfin_status import JellyfinStatus
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.health.tasks import Tasks
from sidecar.services.playback.tracker import PlaybackTracker
from sidecar.services.rules.account_threads import AccountThreads, Follower
from sidecar.store.accounts.accounts import Account
from tests.fakes.clock import FakeClock
from tests.fakes.libraries.tiny import tiny_library
from tests.patience import PATIENCE_S
from tests.services.conftest import World
from tests.web.house import ANN, BEN, PASSWORD, web_house


@pytest.fixture
def jellyfin(tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(tiny_library(tmp_path / "library"), speaks=Version.V12_0) as server:
        yield server


@pytest.fixture
def accounts(world: World, jellyfin: DemoServer, tmp_path: Path) -> AccountService:
    return AccountService(
        jellyfin.url,
        ca_file=None,
        stores=world.stores,
        box=TokenBox(tmp_path / "key"),
        problems=Problems(world.bus),
        bus=world.bus,
        clock=world.clock,
    )


def test_the_end_of_an_old_token_is_not_taken_for_the_accounts(
    world: World, accounts: AccountService
) -> None:
    account = accounts.with_password("admin", SecretStr("admin"))
    over = Event()

    def work() -> None:
        while not over.is_set():
            with suppress(SidecarError):
                client = accounts.client(account.user_id)
                try:
                    client.me()
                except SignedOut:
                    accounts.signed_out(client)

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        accounts.with_password("admin", SecretStr("admin"))
    over.set()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert [one.name for one in accounts.signed_in()] == ["admin"]
    assert accounts.client(account.user_id).me().name == "admin"


def test_a_sign_in_in_another_process_is_taken_over_and_its_old_token_signs_nobody_out(
    world: World, jellyfin: DemoServer, tmp_path: Path
) -> None:
    bus = Bus()
    changed: list[News] = []
    bus.subscribe(changed.append)
    problems = Problems(bus)
    web, work = (
        AccountService(
            jellyfin.url,
            ca_file=None,
            stores=world.stores,
            box=TokenBox(tmp_path / "key"),
            problems=of_it,
            bus=its,
            clock=world.clock,
        )
        for of_it, its in ((Problems(world.bus), world.bus), (problems, bus))
    )
    bus.subscribe(work.hear, Sender.ELSEWHERE)
    admin = web.with_password("admin", SecretStr("admin")).user_id
    old = work.client(admin)
    web.with_password("admin", SecretStr("admin"))
    with pytest.raises(SignedOut):
        old.me()

    assert not work.signed_out(old), "there is a newer one, of another process"
    assert work.client(admin).me().name == "admin"

    assert work.signed_out(work.client(admin))
    assert problems.of(ProblemKind.ACCOUNT, admin) is not None
    work.read_again()
    assert problems.of(ProblemKind.ACCOUNT, admin) is not None, "nobody has signed in"
    web.with_password("admin", SecretStr("admin"))
    changed.clear()

    work.read_again()
    work.read_again()

    assert problems.of(ProblemKind.ACCOUNT, admin) is None
    assert changed.count(AccountChanged(admin)) == 1
    assert work.client(admin).me().name == "admin"


def test_an_account_that_got_the_name_of_another_signs_in_beside_it(
    world: World, accounts: AccountService
) -> None:
    admin = accounts.with_password("admin", SecretStr("admin"))
    # Its name in Jellyfin was given to a new account; here it is not known yet.
    before = replace(admin, user_id="9" * 32)
    world.accounts.forget(admin.user_id)
    world.accounts.save(before)

    now = accounts.with_password("admin", SecretStr("admin"))

    other = accounts.get(before.user_id)
    assert other is not None
    assert now.user_id == admin.user_id
    assert other.jellyfin_device_id != now.jellyfin_device_id


def test_who_signs_in_or_out_by_another_process_has_done_so_here(
    world: World, accounts: AccountService, jellyfin: DemoServer, tmp_path: Path
) -> None:
    world.bus.subscribe(accounts.hear, Sender.ELSEWHERE)
    problems = Problems(Bus())
    other = AccountService(
        jellyfin.url,
        ca_file=None,
        stores=world.stores,
        box=TokenBox(tmp_path / "key"),
        problems=problems,
        bus=Bus(),
        clock=world.clock,
    )
    user_id = accounts.with_password("admin", SecretStr("admin")).user_id
    before = accounts.client(user_id)
    other.signed_out(other.client(user_id))
    world.bus.receive(AccountChanged(user_id))
    with pytest.raises(SignedOut):
        accounts.client(user_id)
    assert accounts._problems.of(ProblemKind.ACCOUNT, user_id) is not None
    other.with_password("admin", SecretStr("admin"))
    world.bus.receive(NewsMissed())
    assert accounts.client(user_id) is not before
    assert accounts.client(user_id).me().name == "admin"
    assert accounts._problems.of(ProblemKind.ACCOUNT, user_id) is None


def test_news_of_an_account_that_is_signed_in_as_before_leave_its_client_to_whoever_uses_it(
    world: World, accounts: AccountService
) -> None:
    world.bus.subscribe(accounts.hear, Sender.ELSEWHERE)
    user_id = accounts.with_password("admin", SecretStr("admin")).user_id
    client = accounts.client(user_id)

    # As where another process ends a session or revokes a key.
    world.bus.receive(AccountChanged(user_id))

    assert accounts.client(user_id) is client
    assert accounts.signed_out(client), "what it is told by Jellyfin counts"


def test_a_sidecar_that_is_alone_takes_over_who_signs_in_from_the_shell(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    with web_house(tmp_path, clock) as house:
        service, problems = house.services.accounts.service, house.services.accounts.problems
        casting = house.services.rules.casting
        steps = {what: step for step, what in house.services.background.housekeeping._steps}
        look = steps["the accounts"]
        assert [*steps].index("the accounts") < [*steps].index("looking at the accounts")
        shell = AccountService(
            house.jellyfin.url,
            ca_file=None,
            stores=house.store,
            box=TokenBox(house.store.db.path.with_name(KEY_FILE)),
            problems=Problems(Bus()),
            bus=Bus(),
            clock=clock,
        )
        look()
        before = service.client(ANN.user_id)
        rings = casting.wakeup.rings
        look()
        assert casting.wakeup.rings == rings

        shell.with_password("ann", SecretStr(PASSWORD))
        look()
        assert service.client(ANN.user_id) is not before
        assert casting.wakeup.rings == rings + 1

        assert service.signed_out(service.client(ANN.user_id))
        shell.with_password("ann", SecretStr(PASSWORD))
        look()
        assert problems.of(ProblemKind.ACCOUNT, ANN.user_id) is None
        assert service.client(ANN.user_id)

        house.store.accounts.forget(BEN.user_id)
        look()
        rings = casting.wakeup.rings
        shell.with_password("ben", SecretStr(PASSWORD))
        look()
        assert casting.wakeup.rings == rings + 1


def test_a_sign_in_elsewhere_between_two_looks_is_followed_with_its_own_token(
    world: World, accounts: AccountService, jellyfin: DemoServer, tmp_path: Path
) -> None:
    world.bus.subscribe(accounts.hear, Sender.ELSEWHERE)
    shell = AccountService(
        jellyfin.url,
        ca_file=None,
        stores=world.stores,
        box=TokenBox(tmp_path / "key"),
        problems=Problems(Bus()),
        bus=Bus(),
        clock=world.clock,
    )
    clock, problems, followed = SystemClock(), Problems(world.bus), list[Jellyfin]()

    def make(_account: Account, client: Jellyfin, _tell: object) -> Mapping[str, Follower]:
        followed.append(client)
        return {}

    threads = AccountThreads(
        accounts=accounts,
        make=make,
        watching=PlaybackTracker(
            world.stores.plays, world.downloads, on_play=lambda _play: None, clock=clock
        ),
        server=JellyfinStatus(accounts.anonymous, problems, clock),
        around=world.db.thread,
        clock=clock,
        tasks=Tasks(clock),
        chance=lambda: 0.0,
    )
    try:
        user_id = accounts.with_password("admin", SecretStr("admin")).user_id
        before = accounts.client(user_id)
        accounts.read_again()
        shell.with_password("admin", SecretStr("admin"))
        threads.look()
        assert followed == [before]

        accounts.read_again()
        threads.look()
        threads.look()

        assert len(followed) == 2
        assert followed[-1] is accounts.client(user_id)
        assert followed[-1].me().name == "admin"
    finally:
        threads.end()
