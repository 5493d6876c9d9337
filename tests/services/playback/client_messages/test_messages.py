"""Messages in the clients of people, with the demo server, the real store and a client's socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.domain.playback.cast_queue import CastPosition
from sidecar.jellyfin.live.commands import PlayOrder
from sidecar.jellyfin.live.events import LibraryChanged, UserDataChanged, UserDataEntry
from sidecar.process.threads import LONGEST_REST_S
from sidecar.services.playback.client_messages.messages import IDLE_S
from sidecar.services.rules.account_threads import Follower
from tests.contract.client import Client, Socket
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, moving_house, tracks

CAN = {"SupportedCommands": ["DisplayMessage"], "SupportsMediaControl": True}
NOTHING: list[dict[str, str]] = []


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, tracks(3)) as built:
        yield built


@contextmanager
def web_client(
    house: MovingHouse, capabilities: dict[str, object] = CAN
) -> Iterator[tuple[Client, Socket]]:
    """A client of Ann's, as the web client is: with a socket, and able to show messages."""
    web = Client(house.server.url, "web", "Jellyfin Web")
    web.sign_in("ann", "ann")
    with web.socket() as socket:
        web.post("/Sessions/Capabilities/Full", capabilities)
        yield web, socket


def followers(house: MovingHouse) -> dict[str, Follower]:
    account = house.services.accounts.service.get(house.person("ann").user_id)
    assert account is not None
    made = house.services.rules.followers(account, house.client(), lambda _trouble: None)
    return dict(made)


def press_heart(house: MovingHouse, item_id: str) -> None:
    """Press a heart on the server, and tell the follower, as the listener does."""
    follower = followers(house)["hearts"]
    house.client().set_favourite(item_id, value=True)
    entry = UserDataEntry(
        item_id=item_id,
        is_favorite=True,
        played=False,
        play_count=0,
        last_played=None,
        position_s=0.0,
    )
    follower.deliver(UserDataChanged(house.person("ann").user_id, (entry,)))
    follower.step()  # type: ignore[attr-defined]


def told(house: MovingHouse, socket: Socket) -> list[dict[str, str]]:
    """Let the burst end; return what the client was shown by then."""
    messages = house.services.background.client_messages
    messages.step()
    house.clock.advance(21)
    messages.step()
    socket.say("KeepAlive")
    socket.next("KeepAlive")
    heard = [one["Data"] for one in socket.heard if one["MessageType"] == "GeneralCommand"]
    return [one["Arguments"] for one in heard if one["Name"] == "DisplayMessage"]


def test_a_heart_is_answered_in_the_client_where_it_was_pressed(house: MovingHouse) -> None:
    album = house.item("Tone 1").album_id or ""
    messages = house.services.background.client_messages
    assert messages.rest_s() == LONGEST_REST_S
    rings = messages.wakeup.rings
    with web_client(house) as (_, socket):
        press_heart(house, album)
        assert messages.wakeup.rings > rings
        messages.step()
        assert messages.rest_s() == IDLE_S

        assert told(house, socket) == [
            {
                "Header": "Jellyfin Sidecar",
                "Text": "First Light: 3 tracks are on their way to Car stick",
                "TimeoutMs": "6000",
            }
        ]
        # Two hearts within seconds, in German: one message.
        ann = house.person("ann")
        house.services.web.client_messages.learn_language(ann, "de")
        press_heart(house, house.item("Tone 1").id)
        press_heart(house, house.item("Tone 2").id)

        (last,) = told(house, socket)[1:]
        assert last["Text"] == "Tone 1 und 1 weiteres: 2 Titel sind unterwegs zu Car stick"


def test_nobody_is_told_who_does_not_want_it_or_cannot_show_it(house: MovingHouse) -> None:
    album, ann = house.item("Tone 1").album_id or "", house.person("ann")
    house.services.web.client_messages.switch(ann, is_on=False)
    with web_client(house) as (_, socket):
        house.server.paths.clear()
        press_heart(house, album)

        assert told(house, socket) == NOTHING
        assert "/Sessions" not in house.server.paths, "nothing is asked for that"
    house.services.web.client_messages.switch(ann, is_on=True)
    with web_client(house, {"SupportsMediaControl": True, "SupportedCommands": []}) as (_, socket):
        press_heart(house, house.item("Tone 1").id)

        assert told(house, socket) == NOTHING
        assert not any(one.endswith("/Message") for one in house.server.paths)


def test_what_was_cast_is_answered_and_what_played_is_told_as_such(house: MovingHouse) -> None:
    first, second, third = (one.id for one in house.items())
    ann = house.person("ann").user_id
    orders = house.services.rules.cast_orders
    with web_client(house) as (web, socket):
        web.post("/Sessions/Capabilities/Full", CAN)
        orders.obey(STICK, PlayOrder((first,), CastPosition.NOW, by=ann))

        (message,) = told(house, socket)
        assert message["Text"] == "Tone 1: 1 track is on its way to Car stick"
        web.report("", second)
        house.services.rules.watching.tell(ann, house.client().sessions())
        web.post("/Sessions/Capabilities/Full", CAN)
        orders.obey(STICK, PlayOrder((second, third), CastPosition.NOW, by=ann))

        message = told(house, socket)[-1]
        assert message["Text"] == "You cast what was playing: 2 tracks pinned on Car stick"


def test_a_changed_playlist_is_answered_with_what_is_new(house: MovingHouse) -> None:
    first, second, third = house.items()
    ann = house.person("ann")
    playlist = house.server.core.playlists.create("Road", ann.user_id, [first.id], is_public=False)
    house.services.web.preferences.choose(ann, STICK, playlist.id)
    made = followers(house)
    rules = made["rules"]
    made["identity"].step()  # type: ignore[attr-defined]
    rules.step()  # type: ignore[attr-defined]
    house.clock.advance(60)
    with web_client(house) as (_, socket):
        playlist.item_ids.extend([second.id, third.id])
        rules.deliver(LibraryChanged((), (playlist.id,), ()))
        house.services.background.client_messages.step()
        house.clock.advance(16)
        rules.step()  # type: ignore[attr-defined]

        (message,) = told(house, socket)
        assert message["Text"] == "Road: 2 tracks are on their way to Car stick"
        # Only another order: nothing comes of it.
        rules.deliver(LibraryChanged((), (playlist.id,), ()))
        assert len(told(house, socket)) == 1


def test_what_does_not_fit_is_told_with_its_size(tmp_path: Path) -> None:
    def small(device: dict[str, object]) -> None:
        device["budget"] = 20_000

    sizes = {entry["path"]: 50_000 for entry in tracks(1)}
    with (
        moving_house(tmp_path, tracks(1), sizes=sizes, change=small) as house,
        web_client(house) as (_, socket),
    ):
        press_heart(house, house.item("Tone 1").id)

        (message,) = told(house, socket)
    assert message["Text"].startswith("Tone 1 does not fit on Car stick: ")
    assert message["Text"].endswith(" too big")


def test_a_session_that_is_over_costs_the_message_only(house: MovingHouse) -> None:
    with web_client(house) as (_, _socket):
        press_heart(house, house.item("Tone 1").id)
        house.services.background.client_messages.step()
    house.clock.advance(21)
    house.services.background.client_messages.step()

    assert not any(one.endswith("/Message") for one in house.server.paths)
