from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.accounts.sign_in_limit import CODE_LASTS_S, FREE_TRIES, MOST_CODES_OF_AN_ADDRESS
from sidecar.errors import ServerAway, SignInRefused, TooManyTries
from sidecar.jellyfin.tokens import TokenBox
from sidecar.services.accounts.accounts import AccountService
from sidecar.services.accounts.known_browsers import KnownBrowsers
from sidecar.services.accounts.person import ClientInfo
from sidecar.services.accounts.quick_connect import PREFIX, QuickConnectCodes
from sidecar.services.accounts.sign_in import SignInService
from sidecar.services.health.problems import Problems
from sidecar.store.accounts.api_keys import ApiKeys
from sidecar.store.accounts.sessions import Sessions
from tests.fakes.libraries.tiny import tiny_library
from tests.services.conftest import World

HOME = ClientInfo("192.168.1.7", "a browser")


@pytest.fixture
def jellyfin(tmp_path: Path) -> Iterator[DemoServer]:
    with DemoServer(tiny_library(tmp_path / "library"), speaks=Version.V12_0) as server:
        yield server


@pytest.fixture
def visiting(world: World, jellyfin: DemoServer, tmp_path: Path) -> SignInService:
    return make_process(world, jellyfin, tmp_path)


@pytest.fixture
def elsewhere(world: World, jellyfin: DemoServer, tmp_path: Path) -> SignInService:
    """Another process with the same database and key."""
    return make_process(world, jellyfin, tmp_path)


def make_process(world: World, jellyfin: DemoServer, tmp_path: Path) -> SignInService:
    box = TokenBox(tmp_path / "key")
    accounts = AccountService(
        jellyfin.url,
        ca_file=None,
        stores=world.stores,
        box=box,
        problems=Problems(world.bus),
        bus=world.bus,
        clock=world.clock,
    )
    return SignInService(
        accounts=accounts,
        sessions=Sessions(world.db, world.clock),
        api_keys=ApiKeys(world.db, world.clock),
        browsers=KnownBrowsers(box),
        open_codes=QuickConnectCodes(world.stores.meta, box, world.clock),
        clock=world.clock,
    )


def asked(jellyfin: DemoServer) -> int:
    return jellyfin.core.activity_log.written


def approve(jellyfin: DemoServer, code: str) -> None:
    ann = jellyfin.core.users.find("ann")
    begun = jellyfin.core.quick_connect.find_by_code(code)
    assert ann is not None
    assert begun is not None
    device, _ = jellyfin.core.devices.sign_in(ann.id, begun.claim)
    jellyfin.core.quick_connect.approve(begun, device)


def lock_out(visiting: SignInService, name: str = "admin") -> None:
    for _ in range(FREE_TRIES):
        with pytest.raises(SignInRefused):
            visiting.sign_in(name, "wrong", HOME)


def test_the_sixth_try_does_not_reach_jellyfin_even_with_the_right_password(
    visiting: SignInService, jellyfin: DemoServer, world: World
) -> None:
    lock_out(visiting)
    before = asked(jellyfin)

    with pytest.raises(TooManyTries, match="try again in a minute, or use Quick") as refusal:
        visiting.sign_in(" Admin\u200b", "admin", HOME)

    assert asked(jellyfin) == before
    world.clock.advance(refusal.value.wait_s)
    assert visiting.sign_in("admin", "admin", HOME).person.name == "admin"


def test_a_wrong_password_costs_two_seconds_and_a_right_one_nothing(
    visiting: SignInService, world: World
) -> None:
    began = world.clock.monotonic()
    with pytest.raises(SignInRefused):
        visiting.sign_in("admin", "wrong", HOME)
    refused = world.clock.monotonic()
    visiting.sign_in("admin", "admin", HOME)

    assert refused - began == 2
    assert world.clock.monotonic() == refused


def test_a_browser_that_signed_in_before_comes_in_whatever_others_fail(
    visiting: SignInService,
) -> None:
    marks = visiting.sign_in("admin", "admin", HOME).marks
    for name in ("admin", "x", "y"):
        for _ in range(FREE_TRIES):
            with pytest.raises(SignInRefused):
                visiting.sign_in(name, "wrong", HOME)

    with pytest.raises(TooManyTries):
        visiting.sign_in("admin", "admin", HOME)
    again = visiting.sign_in("Admin", "admin", replace(HOME, marks=marks))
    assert again.marks == marks


def test_the_marks_of_a_browser_open_nothing_and_are_good_for_their_account_only(
    visiting: SignInService,
) -> None:
    known = replace(HOME, marks=visiting.sign_in("admin", "admin", HOME).marks)

    lock_out_as(visiting, known, "admin")
    lock_out(visiting, "ann")

    for name in ("admin", "ann"):
        with pytest.raises(TooManyTries):
            visiting.sign_in(name, name, known)


def lock_out_as(visiting: SignInService, caller: ClientInfo, name: str) -> None:
    for _ in range(FREE_TRIES):
        with pytest.raises(SignInRefused):
            visiting.sign_in(name, "wrong", caller)


@pytest.mark.parametrize("change", ["", "x", ".", "~", "a~b.c~d", "\u00e9~\u00e9", "a" * 5000])
def test_forged_marks_are_worth_nothing(visiting: SignInService, change: str) -> None:
    marks = visiting.sign_in("admin", "admin", HOME).marks
    forged = replace(HOME, marks=change or f"0{marks}")
    lock_out_as(visiting, forged, "admin")

    with pytest.raises(TooManyTries):
        visiting.sign_in("admin", "admin", HOME)


def test_a_browser_of_a_household_is_known_by_each_of_its_accounts(
    visiting: SignInService,
) -> None:
    marks = visiting.sign_in("admin", "admin", HOME).marks
    both = visiting.sign_in("ann", "ann", replace(HOME, marks=marks)).marks
    for name in ("admin", "ann"):
        lock_out(visiting, name)
        assert visiting.sign_in(name, name, replace(HOME, marks=both)).person.name == name


def test_quick_connect_is_limited_before_jellyfin_is_asked(
    visiting: SignInService, jellyfin: DemoServer
) -> None:
    codes = [visiting.start_quick_connect(HOME) for _ in range(MOST_CODES_OF_AN_ADDRESS)]
    jellyfin.stop()

    with pytest.raises(TooManyTries, match="Too many Quick Connect codes are open"):
        visiting.start_quick_connect(HOME)

    assert len({one.code for one in codes}) == len(codes)
    with pytest.raises(ServerAway):
        visiting.start_quick_connect(replace(HOME, address="10.0.0.9"))


def test_a_code_is_asked_after_once_a_second_however_often_the_page_asks(
    visiting: SignInService, jellyfin: DemoServer, world: World
) -> None:
    code = visiting.start_quick_connect(HOME)
    assert visiting.finish_quick_connect(code.ticket, HOME) is None
    jellyfin.stop()

    assert visiting.finish_quick_connect(code.ticket, HOME) is None
    world.clock.advance(1)
    with pytest.raises(ServerAway):
        visiting.finish_quick_connect(code.ticket, HOME)


def test_a_code_is_finished_once_by_whichever_process_is_asked(
    visiting: SignInService, elsewhere: SignInService, jellyfin: DemoServer, world: World
) -> None:
    code = visiting.start_quick_connect(HOME)
    assert elsewhere.finish_quick_connect(code.ticket, HOME) is None
    approve(jellyfin, code.code)
    world.clock.advance(1)

    session = elsewhere.finish_quick_connect(code.ticket, HOME)

    assert session is not None
    assert visiting.find_session(session.secret) is not None
    for one in (visiting, elsewhere):
        with pytest.raises(SignInRefused, match="expired"):
            one.finish_quick_connect(code.ticket, HOME)
    assert world.stores.meta.list_all(PREFIX) == {}


def test_a_code_that_nobody_approved_is_over_and_forgotten(
    visiting: SignInService, elsewhere: SignInService, world: World
) -> None:
    code = visiting.start_quick_connect(HOME)
    world.clock.advance(CODE_LASTS_S)

    with pytest.raises(SignInRefused, match="expired"):
        elsewhere.finish_quick_connect(code.ticket, HOME)
    elsewhere.start_quick_connect(HOME)

    assert len(world.stores.meta.list_all(PREFIX)) == 1


def test_refusals_fill_no_log(
    visiting: SignInService, caplog: pytest.LogCaptureFixture, world: World
) -> None:
    lock_out(visiting)
    caplog.clear()
    for _ in range(500):
        with pytest.raises(TooManyTries):
            visiting.sign_in("admin", "wrong", HOME)
        world.clock.advance(0.05)

    assert len(caplog.records) <= 2


def test_a_server_that_is_away_uses_up_no_try(
    visiting: SignInService, jellyfin: DemoServer
) -> None:
    jellyfin.stop()

    for _ in range(5):
        with pytest.raises(ServerAway):
            visiting.sign_in("ann", "ann", HOME)
