from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from sidecar.errors import JellyfinError, ServerAway, SignInRefused, UnexpectedAnswer, WrongServer
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.sign_in import SignIn
from tests.fakes.servers.answering import UNAUTHORISED, Answering, Reply, answering, html_reply
from tests.jellyfin.recorded import VERSIONS, reply

BY_NAME = "/Users/AuthenticateByName"
PASSWORD = SecretStr("password")
SECRET = SecretStr("quickconnectsecret0000000000000000000000000000000000000000000000")


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(version: str) -> Iterator[Answering]:
    with answering({"GET /System/Info/Public": reply(version, "public-info")}) as fake:
        yield fake


@pytest.fixture
def door(server: Answering) -> SignIn:
    return SignIn(server.url, DeviceIdentity(device_id="sc-1", version="1.0.0"))


def test_the_right_password_gives_the_account_and_its_token(
    door: SignIn, server: Answering, version: str
) -> None:
    server.routes[f"POST {BY_NAME}"] = reply(version, "sign-in")

    found = door.with_password("ann", PASSWORD)

    assert (found.name, found.is_admin, found.may_download) == ("ann", False, True)
    assert found.server_version.startswith(version)
    assert found.token.get_secret_value() == "tokenrec000000000000000000000000"
    assert "tokenrec" not in repr(found)
    (request,) = server.asked(BY_NAME)
    assert json.loads(request.body) == {"Username": "ann", "Pw": "password"}
    assert request.headers["Authorization"] == (
        'MediaBrowser Client="Jellyfin%20Sidecar", Device="Sidecar", DeviceId="sc-1", '
        'Version="1.0.0"'
    )


@pytest.mark.parametrize("name", ["sign-in-wrong", "sign-in-unknown-user"])
def test_a_wrong_name_and_a_wrong_password_are_told_alike_and_tried_once(
    door: SignIn, server: Answering, version: str, name: str
) -> None:
    server.routes[f"POST {BY_NAME}"] = reply(version, name)

    with pytest.raises(SignInRefused, match="Wrong user name or password"):
        door.with_password("ann", PASSWORD)

    assert len(server.asked(BY_NAME)) == 1


def test_an_account_that_may_not_come_in_is_told_why_that_may_be(
    door: SignIn, server: Answering
) -> None:
    server.routes[f"POST {BY_NAME}"] = Reply(403)

    with pytest.raises(SignInRefused, match="disabled"):
        door.with_password("ann", PASSWORD)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (html_reply(503), ServerAway),
        (html_reply(200), UnexpectedAnswer),
        (html_reply(401), UnexpectedAnswer),
        (html_reply(403), UnexpectedAnswer),
        (Reply(307, b"", {"Location": "https://elsewhere.example/"}), UnexpectedAnswer),
        (
            Reply(400, b"Error processing request.", {"Content-Type": "text/plain"}),
            UnexpectedAnswer,
        ),
    ],
)
def test_trouble_on_the_way_is_not_called_a_wrong_password(
    door: SignIn, server: Answering, answer: Reply, trouble: type[JellyfinError]
) -> None:
    server.routes[f"POST {BY_NAME}"] = answer

    with pytest.raises(trouble):
        door.with_password("ann", PASSWORD)

    assert len(server.asked(BY_NAME)) == 1


@pytest.mark.parametrize(
    ("answer", "trouble"), [(html_reply(200), UnexpectedAnswer), (html_reply(503), ServerAway)]
)
def test_no_password_is_sent_to_what_is_not_a_ready_jellyfin(
    door: SignIn, server: Answering, answer: Reply, trouble: type[JellyfinError]
) -> None:
    server.routes["GET /System/Info/Public"] = answer

    with pytest.raises(trouble):
        door.with_password("ann", PASSWORD)

    assert server.asked(BY_NAME) == []


def test_no_password_is_sent_to_another_server(server: Answering) -> None:
    door = SignIn(
        server.url, DeviceIdentity(device_id="sc-1", version="1"), server_id="0123456789abcdef" * 2
    )

    with pytest.raises(WrongServer):
        door.with_password("ann", PASSWORD)

    assert server.asked(BY_NAME) == []


def test_an_empty_name_is_not_sent_at_all(door: SignIn, server: Answering) -> None:
    with pytest.raises(SignInRefused):
        door.with_password("", PASSWORD)

    assert server.requests == []


def test_quick_connect_goes_from_a_code_to_a_token(
    door: SignIn, server: Answering, version: str
) -> None:
    server.routes["POST /QuickConnect/Initiate"] = reply(version, "quick-connect-initiate")
    code = door.start_quick_connect()
    assert code.code.isdigit()
    assert code.secret.get_secret_value() not in repr(code)

    server.routes["GET /QuickConnect/Connect"] = reply(version, "quick-connect-pending")
    assert not door.is_approved(code.secret)
    server.routes["GET /QuickConnect/Connect"] = reply(version, "quick-connect-approved")
    assert door.is_approved(code.secret)

    server.routes["POST /Users/AuthenticateWithQuickConnect"] = reply(
        version, "quick-connect-sign-in"
    )
    assert door.finish_quick_connect(code.secret).name == "ann"
    (request,) = server.asked("/Users/AuthenticateWithQuickConnect")
    assert json.loads(request.body) == {"Secret": SECRET.get_secret_value()}


def test_quick_connect_that_is_switched_off_says_so(door: SignIn, server: Answering) -> None:
    server.routes["POST /QuickConnect/Initiate"] = UNAUTHORISED

    with pytest.raises(SignInRefused, match="switched off"):
        door.start_quick_connect()


def test_an_expired_code_says_so(door: SignIn, server: Answering, version: str) -> None:
    unknown = reply(version, "quick-connect-unknown")
    server.routes["GET /QuickConnect/Connect"] = unknown
    server.routes["POST /Users/AuthenticateWithQuickConnect"] = unknown

    with pytest.raises(SignInRefused, match="expired"):
        door.is_approved(SECRET)
    with pytest.raises(SignInRefused, match="expired"):
        door.finish_quick_connect(SECRET)
