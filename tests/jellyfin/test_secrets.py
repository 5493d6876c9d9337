from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Event

import pytest
from pydantic import SecretStr

from sidecar.clock import SystemClock
from sidecar.domain.items.item import ItemType
from sidecar.errors import SidecarError
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.live.events import Connected, News
from sidecar.jellyfin.live.listener import Listener
from sidecar.jellyfin.sign_in import SignIn
from sidecar.jellyfin.tokens import TokenBox
from tests.fakes.servers.answering import UNAUTHORISED, Answering, Reply, answering, html_reply
from tests.fakes.servers.live import live_server, running
from tests.jellyfin.recorded import reply
from tests.patience import PATIENCE_S

PASSWORD = "correct horse battery staple"
TOKEN = "tokenrec000000000000000000000000"
CODE_SECRET = "quickconnectsecret0000000000000000000000000000000000000000000000"
SECRETS = (PASSWORD, TOKEN, CODE_SECRET, "tokenqc", 'Token="')
IDENTITY = DeviceIdentity(device_id="sc-1", version="1")
ID = "1bf5462706b4367473f9fd0725bdd586"


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Everything that was logged, by anybody, at any level, tracebacks included."""
    caplog.set_level(logging.DEBUG)
    # Whoever ran before may have set how much is written.
    caplog.set_level(logging.DEBUG, logger="sidecar")
    return lambda: caplog.text + "".join(f"{one.__dict__}" for one in caplog.records)


def trouble(call: Callable[[], object]) -> str:
    """Return all that an error and its causes would print; nothing if there was none."""
    try:
        call()
    except SidecarError as error:
        logging.getLogger("test").exception("as a thread would")
        return f"{error!r} {error} {error.__cause__!r} {vars(error)}"
    return ""


def exercise(server: Answering, client: Jellyfin, door: SignIn) -> str:
    calls: list[Callable[[], object]] = [
        lambda: door.with_password("ann", SecretStr(PASSWORD)),
        door.start_quick_connect,
        lambda: door.is_approved(SecretStr(CODE_SECRET)),
        lambda: door.finish_quick_connect(SecretStr(CODE_SECRET)),
        client.me,
        client.sessions,
        lambda: client.items([ID]),
        lambda: client.favourites({ItemType.AUDIO, ItemType.ARTIST}),
        lambda: client.set_favourite(ID, value=True),
        lambda: client.image(ID, "t", max_width=1),
        client.logout,
    ]
    return "".join(trouble(call) for call in calls)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Reply(
            200, b'{"AccessToken": ["%s"]}' % TOKEN.encode(), {"Content-Type": "application/json"}
        ),
        Reply(302, b"", {"Location": f"https://x.example/?ApiKey={TOKEN}"}),
        html_reply(200, f"<p>{TOKEN}</p>"),
        html_reply(503),
        UNAUTHORISED,
        Reply(500),
    ],
)
def test_no_secret_is_ever_logged_or_part_of_an_error(
    written: Callable[[], str], answer: Reply | None
) -> None:
    with answering({"GET /System/Info/Public": reply("12.0", "public-info")}) as server:
        routes = {
            "POST /Users/AuthenticateByName": "sign-in",
            "POST /QuickConnect/Initiate": "quick-connect-initiate",
            "GET /QuickConnect/Connect": "quick-connect-approved",
            "POST /Users/AuthenticateWithQuickConnect": "quick-connect-sign-in",
            "GET /Users/Me": "me",
            "GET /Sessions": "sessions-playing-user",
            "GET /Items": "favourites",
            "GET /Artists": "favourite-artists",
            f"POST /UserFavoriteItems/{ID}": "favourite-on",
            f"GET /Items/{ID}/Images/Primary": "image-missing",
        }
        server.routes |= {route: answer or reply("12.0", name) for route, name in routes.items()}
        client = Jellyfin(server.url, identity=IDENTITY, token=SecretStr(TOKEN))
        told = exercise(server, client, SignIn(server.url, IDENTITY))
        told += f"{client!r} {vars(client)} {vars(client.connection)}"

    assert "/Users/AuthenticateByName" in written(), "the log is looked at"
    for secret in SECRETS:
        assert secret not in written()
        assert secret not in told


def test_the_live_connection_logs_no_secret(written: Callable[[], str]) -> None:
    news: Queue[News] = Queue()
    stop = Event()
    with live_server() as server:
        client = Jellyfin(server.url, identity=IDENTITY, token=SecretStr(TOKEN))
        listener = Listener(client, news.put, clock=SystemClock(), chance=lambda: 0.0)

        def end() -> None:
            stop.set()
            listener.end()

        with running(lambda: listener.run(stop), end):
            assert news.get(timeout=PATIENCE_S) == Connected()
            server.wait_for("KeepAlive")
            server.opening = Reply(403)
            server.connection().close_socket()
            news.get(timeout=PATIENCE_S)

    assert server.openings[0].headers["Authorization"].count(TOKEN) == 1
    for secret in SECRETS:
        assert secret not in written()


def test_sealing_logs_no_secret(written: Callable[[], str], tmp_path: Path) -> None:
    box = TokenBox(tmp_path / "token.key")

    opened = box.decrypt(box.encrypt(SecretStr(TOKEN)))

    assert TOKEN not in f"{opened!r} {opened} {vars(box)} {written()}"
