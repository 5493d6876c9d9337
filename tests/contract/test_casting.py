"""Being a cast target: what jellyfin-api.md says of it, in its §2.1, §2.4 and §14."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.contract.client import Client, Message, Site, Socket

CAPABILITIES: Message = {
    "PlayableMediaTypes": ["Audio", "Video"],
    "SupportedCommands": [],
    "SupportsMediaControl": True,
    "SupportsPersistentIdentifier": True,
}
NOBODY = "0" * 32


@pytest.fixture
def album(ann: Client, song: str) -> str:
    return str(ann.get(f"/Items/{song}")["AlbumId"])


@contextmanager
def target(owner: Client, device_id: str) -> Iterator[tuple[Client, Socket]]:
    """A session of its own beside the owner's, with the owner's token, that offers to play."""
    stick = Client(owner.url, device_id, "Sidecar")
    stick.token, stick.user_id = owner.token, owner.user_id
    with stick.socket() as socket:
        stick.post("/Sessions/Capabilities/Full", CAPABILITIES)
        yield stick, socket


def menu(user: Client) -> dict[str, str]:
    """What a client lists in its cast menu: device ids with the ids of their sessions."""
    found = user.get("/Sessions", controllableByUserId=user.user_id)
    return {one["DeviceId"]: one["Id"] for one in found}


def play(user: Client, session_id: str, item_id: str, when: str = "PlayNow", **more: str) -> None:
    query = {"playCommand": when, "itemIds": item_id, **more}
    response = user.ask("POST", f"/Sessions/{session_id}/Playing", query=query)
    assert (response.status_code, response.content) == (204, b"")


def test_capabilities_put_a_session_with_a_socket_into_the_menu(ann: Client) -> None:
    with target(ann, "contract-stick") as (stick, _):
        session = stick.session()

        assert "contract-stick" in menu(ann)
        assert session["SupportsRemoteControl"] is True
        assert session["SupportsMediaControl"] is True
        assert session["PlayableMediaTypes"] == ["Audio", "Video"]
        assert session["Capabilities"] == CAPABILITIES


def test_a_session_that_offers_nothing_is_not_in_the_menu(ann: Client) -> None:
    with ann.socket():
        assert ann.device_id not in menu(ann)


def test_the_menu_forgets_a_target_with_its_socket(ann: Client) -> None:
    with ann.socket() as watching:
        watching.say("SessionsStart", "0,1500")
        watching.say("KeepAlive")
        watching.next("KeepAlive")
        with target(ann, "contract-stick"):
            assert "contract-stick" in menu(ann)

        watching.next("Sessions", where=lambda told: "contract-stick" not in _devices(told))
        assert "contract-stick" not in menu(ann)


def test_an_album_arrives_expanded_and_in_order(ann: Client, song: str, album: str) -> None:
    query = {"parentId": album, "sortBy": "ParentIndexNumber,IndexNumber,SortName"}
    tracks = [one["Id"] for one in ann.songs(**query)]
    with target(ann, "contract-stick") as (_, socket):
        play(ann, menu(ann)["contract-stick"], album)
        told = socket.next("Play")

    assert song in tracks
    assert list(told.items()) == [
        ("ItemIds", tracks),
        ("PlayCommand", "PlayNow"),
        ("ControllingUserId", ann.user_id),
    ]


@pytest.mark.parametrize("when", ["PlayNext", "PlayLast"])
def test_what_is_added_to_the_queue_says_where(ann: Client, song: str, when: str) -> None:
    with target(ann, "contract-stick") as (_, socket):
        play(ann, menu(ann)["contract-stick"], song, when)

        assert socket.next("Play")["PlayCommand"] == when


def test_where_a_person_clicked_is_told(ann: Client, album: str) -> None:
    with target(ann, "contract-stick") as (_, socket):
        play(ann, menu(ann)["contract-stick"], album, startIndex="1")

        assert socket.next("Play")["StartIndex"] == 1


def test_one_token_holds_several_targets_and_each_hears_only_its_own(
    ann: Client, song: str
) -> None:
    with (
        target(ann, "contract-stick") as (_, stick),
        target(ann, "contract-card") as (_, card),
        ann.socket() as main,
    ):
        sessions = menu(ann)
        play(ann, sessions["contract-card"], song)
        card.next("Play")
        for one in (stick, main):
            one.say("KeepAlive")
            one.next("KeepAlive")

        heard = {message["MessageType"] for one in (stick, main) for message in one.heard}
        assert "Play" not in heard


def test_a_stop_reaches_the_target_as_well(ann: Client) -> None:
    with target(ann, "contract-stick") as (_, socket):
        ann.post(f"/Sessions/{menu(ann)['contract-stick']}/Playing/Stop")

        assert socket.next("Playstate")["Command"] == "Stop"


def test_a_command_reaches_the_target_as_well(ann: Client) -> None:
    with target(ann, "contract-stick") as (_, socket):
        ann.post(f"/Sessions/{menu(ann)['contract-stick']}/Command/Mute")

        assert socket.next("GeneralCommand")["Name"] == "Mute"


def test_who_casts_is_told_even_when_it_is_not_the_owner(
    ann: Client, admin: Client, song: str
) -> None:
    with target(ann, "contract-stick") as (_, socket):
        play(admin, menu(ann)["contract-stick"], song)

        assert socket.next("Play")["ControllingUserId"] == admin.user_id


def test_a_message_reaches_the_client_that_can_show_it_and_names_its_sender(ann: Client) -> None:
    can = {**CAPABILITIES, "SupportedCommands": ["DisplayMessage"]}
    with ann.socket() as socket:
        ann.post("/Sessions/Capabilities/Full", can)
        session = ann.session()
        assert session["SupportedCommands"] == ["DisplayMessage"]
        body = {"Header": "Car stick", "Text": "10 tracks are on their way", "TimeoutMs": 5000}
        told = ann.ask("POST", f"/Sessions/{session['Id']}/Message", body=body)

        assert (told.status_code, told.content) == (204, b"")
        heard = socket.next("GeneralCommand")
        assert heard["Name"] == "DisplayMessage"
        assert heard["Arguments"] == {**body, "TimeoutMs": "5000"}
        ann.post(f"/Sessions/{session['Id']}/Message", {"Text": "Without a header"})
        assert socket.next("GeneralCommand")["Arguments"] == {
            "Header": "Message from Server",
            "Text": "Without a header",
        }
        ann.post("/Sessions/Capabilities/Full", CAPABILITIES)


def test_a_message_to_a_session_that_is_not_there_is_404(ann: Client) -> None:
    body = {"Header": "x", "Text": "y", "TimeoutMs": 5000}

    assert ann.ask("POST", f"/Sessions/{NOBODY}/Message", body=body).status_code == 404


def test_what_was_active_long_ago_can_be_left_out(ann: Client) -> None:
    ann.report("", str(ann.songs()[0]["Id"]))

    assert ann.device_id in _devices(ann.get("/Sessions", activeWithinSeconds="60"))


def test_who_casts_to_a_session_that_is_not_there_is_told_so(site: Site) -> None:
    ann = site.signed_in("contract-caster")
    query = {"playCommand": "PlayNow", "itemIds": NOBODY}

    assert ann.ask("POST", f"/Sessions/{NOBODY}/Playing", query=query).status_code == 404
    ann.ask("POST", "/Sessions/Logout")


def _devices(told: list[Message]) -> set[str]:
    return {one["DeviceId"] for one in told}
