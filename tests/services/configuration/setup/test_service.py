from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from sidecar.clock import SystemClock
from sidecar.jellyfin.discovery import QUESTION, discover
from sidecar.jellyfin.sign_in import SignedIn
from sidecar.services.configuration.setup.service import SetUpRefused, SetUpService
from tests.fakes.clock import FakeClock
from tests.fakes.servers.answering import Answering, Reply, Route, answering, json_reply
from tests.fakes.servers.syncthings import free_port
from tests.web.house import ANN, EVE, PASSWORD, PUBLIC, _sign_in


@pytest.fixture
def jellyfin() -> Iterator[Answering]:
    routes: dict[str, Route] = {
        "GET /System/Info/Public": json_reply(PUBLIC),
        "POST /Users/AuthenticateByName": _sign_in,
    }
    with answering(routes) as there:
        yield there


class Kept:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def __call__(self, url: str, found: SignedIn, device_id: str, address: str) -> str:
        self.told.append((url, found.name))
        return "a session"


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def service(kept: Kept) -> SetUpService:
    return SetUpService(kept, FakeClock())


def test_an_admin_sets_up_once(service: SetUpService, kept: Kept, jellyfin: Answering) -> None:
    ticket = service.begin(is_local=True)
    found = service.test(ticket, jellyfin.url.removeprefix("http://"))

    assert (found.name, found.version) == ("Attic", "12.0.0")
    assert service.sign_in(ticket, "eve", PASSWORD, "127.0.0.1") == "a session"
    assert kept.told == [(jellyfin.url, EVE.name)]
    assert service.done.is_set()
    with pytest.raises(SetUpRefused, match="already"):
        service.sign_in(ticket, "eve", PASSWORD, "127.0.0.1")


def test_an_address_that_says_nothing_is_not_waited_for(kept: Kept) -> None:
    service = SetUpService(kept, FakeClock(), answers_within_s=0.2)
    # A minute, which is what Jellyfin itself is given, is longer than a test may take.
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]

        with pytest.raises(SetUpRefused, match="does not answer in time"):
            service.test(service.begin(is_local=True), f"http://127.0.0.1:{port}")


def test_nobody_but_an_admin_sets_up(
    service: SetUpService, kept: Kept, jellyfin: Answering
) -> None:
    ticket = service.begin(is_local=True)
    with pytest.raises(SetUpRefused, match="where your Jellyfin"):
        service.sign_in(ticket, "eve", PASSWORD, "")
    service.test(ticket, jellyfin.url)

    with pytest.raises(SetUpRefused, match="not an administrator"):
        service.sign_in(ticket, ANN.name, PASSWORD, "")
    with pytest.raises(SetUpRefused, match="Wrong user name or password"):
        service.sign_in(ticket, "eve", "wrong", "")
    assert kept.told == []
    assert not service.done.is_set()


def test_another_machine_needs_the_code_and_guesses_it_a_few_times_only(
    service: SetUpService,
) -> None:
    assert service.is_known(service.begin(is_local=False, code=service.code))
    assert not service.is_known("")
    for _ in range(10):
        with pytest.raises(SetUpRefused, match="not the code"):
            service.begin(is_local=False, code="0000-000")
    with pytest.raises(SetUpRefused, match="Too many wrong codes"):
        service.begin(is_local=False, code=service.code)
    with pytest.raises(SetUpRefused, match="Begin the set-up again"):
        service.test("guessed", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (json_reply({**PUBLIC, "Version": "10.8.13"}), "too old"),
        (
            Reply(body=b"<html>a router</html>", headers={"Content-Type": "text/html"}),
            "did not answer",
        ),
    ],
)
def test_a_server_that_is_none_of_ours_says_why(
    service: SetUpService, jellyfin: Answering, reply: Reply, said: str
) -> None:
    jellyfin.routes["GET /System/Info/Public"] = reply

    with pytest.raises(SetUpRefused, match=said):
        service.test(service.begin(is_local=True), jellyfin.url)


def test_the_demo_is_nobodys_own_jellyfin(service: SetUpService, jellyfin: Answering) -> None:
    ticket = service.begin(is_local=True)
    service.demo_id = str(PUBLIC["Id"])

    with pytest.raises(SetUpRefused, match="This is the demo"):
        service.test(ticket, jellyfin.url)

    assert service.server(ticket) is None


def test_each_way_not_to_be_there_has_its_sentence(
    service: SetUpService, jellyfin: Answering
) -> None:
    ticket = service.begin(is_local=True)
    port = free_port()
    secure = jellyfin.url.replace("http", "https")
    for typed, said in (
        ("no-such-name.invalid", "knows the name"),
        (f"127.0.0.1:{port}", "nothing listens on port"),
        ("ftp://nas", "must look like"),
        ("", "must look like"),
        (secure, "speaks http, not https"),
    ):
        with pytest.raises(SetUpRefused, match=said):
            service.test(ticket, typed)
    assert service.server(ticket) is None


def test_servers_on_the_network_are_found_and_nonsense_is_not() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind(("127.0.0.1", 0))

        def answer() -> None:
            asked, client = server.recvfrom(100)
            assert asked == QUESTION
            good = {"Address": "http://192.168.1.10:8096", "Id": "1", "Name": "Attic"}
            for told in (b"?", b"[]", b'{"Address": "javascript:1"}', json.dumps(good).encode()):
                server.sendto(told, client)

        answering_once = Thread(target=answer)
        answering_once.start()
        found = discover(SystemClock(), [server.getsockname()])
        answering_once.join()

    assert [(one.address, one.name) for one in found] == [("http://192.168.1.10:8096", "Attic")]


def test_the_token_of_one_server_never_comes_to_another(
    service: SetUpService, kept: Kept, jellyfin: Answering
) -> None:
    started = {"Secret": "s" * 32, "Code": "123456", "Authenticated": False}
    jellyfin.routes["POST /QuickConnect/Initiate"] = json_reply(started)
    ticket = service.begin(is_local=True)
    service.test(ticket, jellyfin.url)
    assert service.start_quick_connect(ticket) == "123456"

    with answering({"GET /System/Info/Public": json_reply(PUBLIC)}) as another:
        service.test(ticket, another.url)
        with pytest.raises(SetUpRefused, match="Begin again"):
            service.finish_quick_connect(ticket, "")
    assert kept.told == []


def test_who_begins_again_and_again_throws_nobody_out_who_has_gone_on(
    service: SetUpService, jellyfin: Answering
) -> None:
    ticket = service.begin(is_local=True)
    service.test(ticket, jellyfin.url)

    others = [service.begin(is_local=True) for _ in range(100)]

    assert service.server(ticket) is not None
    assert sum(map(service.is_known, others)) < 20


@pytest.mark.parametrize(
    "more", ["/web", "/web/", "/web/index.html#!/home.html", "/#/home", "/?a=b"]
)
def test_what_a_browser_shows_at_jellyfin_is_its_address(
    service: SetUpService, jellyfin: Answering, more: str
) -> None:
    ticket = service.begin(is_local=True)

    found = service.test(ticket, jellyfin.url.removeprefix("http://") + more)

    assert found.url == jellyfin.url


@pytest.mark.parametrize("typed", ["a" * 70, "a..b", "\u2024", "a\0b"])
def test_a_name_that_is_none_has_its_sentence(service: SetUpService, typed: str) -> None:
    with pytest.raises(SetUpRefused):
        service.test(service.begin(is_local=True), typed)
