from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sidecar.errors import NotAllowed, ServerAway, TooSlow, WrongServer
from sidecar.events import Bus
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.services.health.jellyfin_status import SUBJECT, JellyfinStatus
from sidecar.services.health.problems import ProblemKind, Problems
from tests.fakes.clock import FakeClock


class PublicInfo:
    """A server that only says who it is.

    Unlike Jellyfin it knows nothing else, and is never slow.
    """

    def __init__(self) -> None:
        self.id = "a" * 32
        self.is_starting = False
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                status = 503 if outer.is_starting else 200
                body = f'{{"Id": "{outer.id}", "Version": "12.0.0"}}'.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def server() -> Iterator[PublicInfo]:
    fake = PublicInfo()
    thread = Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()
    thread.join()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def problems() -> Problems:
    return Problems(Bus())


@pytest.fixture
def watch(server: PublicInfo, problems: Problems, clock: FakeClock) -> JellyfinStatus:
    identity = DeviceIdentity(device_id="test", version="1")
    return JellyfinStatus(
        lambda: Jellyfin(server.url, identity=identity, server_id="a" * 32), problems, clock
    )


def test_one_probe_finds_the_server_back(
    watch: JellyfinStatus, server: PublicInfo, clock: FakeClock
) -> None:
    watch.tell(ServerAway("Jellyfin does not answer"))
    assert not watch.is_there

    clock.advance(1)
    watch.probe()

    assert watch.is_there
    assert server.asked == 1


def test_the_probe_backs_off_to_five_minutes(
    watch: JellyfinStatus, server: PublicInfo, clock: FakeClock
) -> None:
    server.is_starting = True
    watch.tell(ServerAway("Jellyfin is starting"))

    for _ in range(3600):
        clock.advance(1)
        watch.probe()

    assert 12 <= server.asked <= 20


def test_one_request_that_took_too_long_does_not_call_a_server_away_that_answers(
    watch: JellyfinStatus, server: PublicInfo
) -> None:
    watch.tell(TooSlow("Jellyfin does not answer in time"))
    assert watch.is_there

    server.is_starting = True
    watch.tell(TooSlow("Jellyfin does not answer in time"))

    assert not watch.is_there
    assert server.asked == 2


def test_the_server_is_not_asked_before_the_time_it_named(
    watch: JellyfinStatus, server: PublicInfo, clock: FakeClock
) -> None:
    watch.tell(ServerAway("Jellyfin is starting", retry_after_s=5))

    clock.advance(4)
    watch.probe()

    assert server.asked == 0


def test_many_tellers_are_one_trouble(
    watch: JellyfinStatus, problems: Problems, server: PublicInfo, clock: FakeClock
) -> None:
    for _ in range(4):
        watch.tell(ServerAway("Jellyfin does not answer"))
    clock.advance(1)

    for _ in range(4):
        watch.probe()

    assert server.asked == 1
    assert problems.of(ProblemKind.SERVER, SUBJECT) is None


def test_it_is_said_in_one_wording_whoever_meets_it(
    watch: JellyfinStatus, problems: Problems
) -> None:
    told = set()
    for text in ("Jellyfin at nas does not answer", "nas cannot be reached"):
        watch.tell(ServerAway(text))
        trouble = problems.of(ProblemKind.SERVER, SUBJECT)
        told.add(trouble.text if trouble else None)

    assert len(told) == 1
    assert not any("nas" in str(one) for one in told)


def test_somebody_who_wants_it_now_need_not_wait(
    watch: JellyfinStatus, server: PublicInfo, clock: FakeClock
) -> None:
    server.is_starting = True
    watch.tell(ServerAway("Jellyfin is starting", retry_after_s=60))

    watch.probe_now()
    watch.probe_now()
    assert server.asked == 1

    server.is_starting = False
    clock.advance(1)
    watch.probe_now()
    assert watch.is_there


def test_another_server_at_the_address_stays_a_trouble(
    watch: JellyfinStatus, problems: Problems, server: PublicInfo, clock: FakeClock
) -> None:
    server.id = "b" * 32
    watch.tell(WrongServer("Another one answers at http://10.0.0.9: use server accept"))

    clock.advance(10)
    watch.probe()

    trouble = problems.of(ProblemKind.SERVER, SUBJECT)
    assert trouble is not None
    assert trouble.code == "wrong-server"
    assert "an admin has looked at it" in trouble.text
    assert "http" not in trouble.text


def test_a_refusal_of_one_account_is_no_trouble_of_the_server(watch: JellyfinStatus) -> None:
    watch.tell(NotAllowed("Jellyfin does not allow this"))

    assert watch.is_there
