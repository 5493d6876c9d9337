"""Plays and samples, asked of the demo server in both voices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.player_logs.matching import Tally
from sidecar.domain.player_logs.states import UserState
from sidecar.errors import NotAllowed, NotFound
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.jellyfin.sign_in import SignIn
from tests.contract.client import Client
from tests.fakes.libraries.tiny import tiny_library
from tests.fakes.servers.demo import House, device_of

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(params=Version, ids=lambda one: one.value)
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[DemoServer]:
    house = House(tiny_library(tmp_path / "library"))
    with house.open:
        yield house.server(request.param)


@pytest.fixture
def ann(server: DemoServer) -> Iterator[Jellyfin]:
    identity = DeviceIdentity(device_id="played-ann", version="1.0.0")
    found = SignIn(server.url, identity).with_password("ann", SecretStr("ann"))
    client = Jellyfin(
        server.url, identity=identity, token=found.token, user_id=found.user_id, server_id=None
    )
    yield client
    client.close()


@pytest.fixture
def phone(server: DemoServer) -> Client:
    return device_of(server, "ann", "phone")


def test_a_count_and_a_date_are_read_and_written(ann: Jellyfin, phone: Client) -> None:
    item_id = str(phone.songs()[0]["Id"])
    marks = PlayStates(ann)
    after = Tally(7, LONG_AGO, is_played=True)

    before = marks.of(item_id)
    marks.set(item_id, before, after)

    assert before == Tally()
    assert marks.of(item_id) == after


def test_what_is_not_written_stays_to_the_last_digit(ann: Jellyfin, phone: Client) -> None:
    item_id = str(phone.songs()[0]["Id"])
    phone.post(f"/UserFavoriteItems/{item_id}")
    phone.post(f"/UserPlayedItems/{item_id}")
    told = phone.get(f"/UserItems/{item_id}/UserData")
    marks = PlayStates(ann)
    before = marks.of(item_id)

    marks.set(item_id, before, Tally(before.count + 1, before.last, is_played=True))

    assert phone.get(f"/UserItems/{item_id}/UserData") == told | {"PlayCount": 2}


def test_an_item_is_ticked_off_with_a_date(ann: Jellyfin, phone: Client) -> None:
    item_id = str(phone.songs()[0]["Id"])
    marks = PlayStates(ann)

    marks.mark_played(item_id, LONG_AGO)

    assert marks.of(item_id) == Tally(1, LONG_AGO, is_played=True)


def test_who_may_not_write_is_told_so(ann: Jellyfin, phone: Client, server: DemoServer) -> None:
    admin = device_of(server, "admin", "desk")
    policy = admin.get(f"/Users/{ann.user_id}")["Policy"]
    admin.post(f"/Users/{ann.user_id}/Policy", policy | {"EnableUserPreferenceAccess": False})

    with pytest.raises(NotAllowed):
        PlayStates(ann).set(str(phone.songs()[0]["Id"]), Tally(), Tally(1, LONG_AGO))


def test_an_unknown_item_is_not_found(ann: Jellyfin) -> None:
    with pytest.raises(NotFound):
        PlayStates(ann).of("f" * 32)


def test_the_whole_library_is_listed(ann: Jellyfin, phone: Client) -> None:
    listing = ServerFileIndex(ann).all()

    assert listing.complete
    assert {str(one["Id"]) for one in phone.songs()} < {one.id for one in listing.items}
    assert all(one.is_playable for one in listing.items)


def test_a_sample_is_the_bytes_of_the_original_or_nothing(ann: Jellyfin, phone: Client) -> None:
    item_id = str(phone.songs()[0]["Id"])
    whole = phone.ask("GET", f"/Items/{item_id}/File").content
    originals = ServerFileIndex(ann)

    assert originals.sample(item_id, 5, 20, size=len(whole)) == whole[5:25]
    assert originals.sample(item_id, 5, 20, size=len(whole) + 1) is None
    assert originals.sample(item_id, len(whole), 20, size=len(whole) + 20) is None
    assert originals.sample("f" * 32, 0, 20, size=len(whole)) is None


def test_all_that_is_known_of_items_is_read_and_written(ann: Jellyfin, phone: Client) -> None:
    first, second, *_ = (str(one["Id"]) for one in phone.songs())
    marks = PlayStates(ann)
    begun = UserState(9.5, 2, LONG_AGO, is_played=True, is_favourite=True)

    marks.change(first, UserState(), begun)

    assert marks.state(first) == begun
    assert marks.states([first, second, first, "9" * 32]) == {first: begun, second: UserState()}
    assert marks.resumable(10) == {first: begun}
    marks.change(first, begun, UserState(is_favourite=True))
    assert marks.state(first) == UserState(is_favourite=True)
    marks.change(first, UserState(is_favourite=True), UserState())
    assert marks.states([first])[first].is_favourite is False
