from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.domain.rules.context import Chosen
from sidecar.errors import NotPossible, SignedOut, SignInRefused, WrongServer
from sidecar.services.accounts.auto_sign_in import AutoSignIn
from sidecar.services.health.problems import ProblemKind
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, moving_house, tracks

OTHER = "9" * 32
ADMIN = SecretStr("admin")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, tracks(4)) as built:
        yield built


def test_another_server_stops_everything_and_is_offered(house: MovingHouse) -> None:
    house.fill(*house.items())
    client = house.client()
    assert house.services.rules.server_change.other() is None

    house.install_anew(OTHER, media_root="/mnt/other")

    with pytest.raises(WrongServer):
        client.me()
    found = house.services.rules.server_change.other()
    assert found is not None
    assert found.id == OTHER
    assert not house.services.accounts.server.is_there


def test_an_admin_sees_what_would_follow_and_nothing_is_changed_by_that(
    house: MovingHouse,
) -> None:
    house.person("ann")
    house.person("admin")
    house.fill(*house.items())
    before = house.rows()
    house.install_anew(OTHER, media_root="/mnt/other", tracks=house.listing["tracks"][1:])

    preview = house.services.rules.server_change.look("admin", ADMIN)

    assert (preview.files, preview.same, preview.followed) == (4, 0, 3)
    assert (preview.lost, preview.examples, preview.asked) == (1, ("Tone 1",), 0)
    assert (preview.accounts, preview.strangers) == (["admin", "ann"], [])
    assert house.rows() == before
    assert not house.services.accounts.server.is_there


def test_only_an_admin_of_the_new_server_can_show_it(house: MovingHouse) -> None:
    house.person("ann")
    house.install_anew(OTHER)

    with pytest.raises(SignInRefused, match="no admin there"):
        house.services.rules.server_change.look("ann", SecretStr("ann"))
    with pytest.raises(SignInRefused):
        house.services.rules.server_change.look("admin", SecretStr("wrong"))


def test_what_was_taken_is_fetched_by_nobody_and_everybody_finds_what_they_had(
    house: MovingHouse,
) -> None:
    ann = house.person("ann")
    house.person("admin")
    house.fill(*house.items())
    store = house.store
    store.tombstones.put(ann.user_id, STICK, house.items()[0].id)
    _, key = store.api_keys.create(ann.user_id, "a script")
    before, files = house.rows(), house.files()
    house.install_anew(OTHER, media_root="/mnt/other")
    change = house.services.rules.server_change

    assert change.accept(change.look("admin", ADMIN).ticket).id == OTHER

    assert house.services.accounts.server.is_there
    assert house.services.accounts.service.server_id == OTHER
    with pytest.raises(SignedOut):
        house.client("ann")
    assert store.accounts.by_name("ann") is not None
    noted = house.services.accounts.problems.all_of(ProblemKind.ACCOUNT)
    house.people.clear()
    now = house.person("ann")
    assert now.user_id != ann.user_id
    assert noted.keys() == {now.user_id}
    items = house.items()
    assert {one.item_id for one in house.rows()} == {one.id for one in items}
    assert {one.user_id for one in house.rows()} == {now.user_id}
    assert [(one.id, one.file_path) for one in house.rows()] == [
        (one.id, one.file_path) for one in before
    ]
    assert {one.user_id for item in items for one in store.holds.of_item(STICK, item.id)} == {
        now.user_id
    }
    assert len(store.tombstones.items(now.user_id, STICK)) == 1
    found = store.api_keys.find(key)
    assert found is not None
    assert found.user_id == now.user_id
    assert house.want(*items[1:], rule="favourites") == 0
    assert (house.files(), house.server.fetched) == (files, 0)
    assert change.other() is None


def make_playlist(house: MovingHouse, title: str) -> str:
    """Make a playlist of ann's on the server; return its id."""
    client = house.client()
    body = {"Name": title, "Ids": [house.items()[0].id], "UserId": client.user_id}
    made = client.connection.send("POST", "Playlists", body=body)
    return str(json.loads(made.body)["Id"])


def test_the_playlists_that_somebody_chose_are_found_again_by_their_titles(
    house: MovingHouse,
) -> None:
    ann = house.person("ann")
    house.person("admin")
    house.fill(*house.items())
    chosen, orders = house.store.chosen, house.store.playlist_orders
    old = {title: make_playlist(house, title) for title in ("Road trip", "Calm", "Lost")}
    for title, playlist_id in old.items():
        chosen.choose(ann.user_id, STICK, Chosen(playlist_id=playlist_id, title=title))
    orders.learn(ann.user_id, old["Road trip"], [house.items()[0].id])
    house.install_anew(OTHER, media_root="/mnt/other")
    change = house.services.rules.server_change
    change.accept(change.look("admin", ADMIN).ticket)
    house.people.clear()
    now = house.person("ann").user_id
    road = make_playlist(house, "road trip")
    for _ in range(2):  # nobody knows which of them is meant
        make_playlist(house, "Calm")

    house.look()

    assert {one.title: one.playlist_id for one in chosen.of(now, STICK)} == {
        **old,
        "Road trip": road,
    }
    before = len(house.server.paths)
    house.look()
    assert len(house.server.paths) - before <= 4


def test_the_account_of_the_settings_signs_in_at_the_new_server_by_itself(
    house: MovingHouse,
) -> None:
    accounts = house.services.accounts
    unattended = AutoSignIn(
        "ann",
        SecretStr("ann"),
        accounts=accounts.service,
        server=accounts.server,
        problems=accounts.problems,
        clock=house.clock,
    )
    unattended.step()
    before = accounts.service.by_name("ann")
    assert before is not None
    house.install_anew(OTHER)
    change = house.services.rules.server_change
    change.accept(change.look("admin", ADMIN).ticket)

    unattended.step()

    now = accounts.service.by_name("ann")
    assert now is not None
    assert (now.is_signed_in, now.server_id) == (True, OTHER)
    assert now.user_id != before.user_id


def test_a_yes_counts_once_for_what_was_shown_and_not_for_ever(house: MovingHouse) -> None:
    house.person("ann")
    change = house.services.rules.server_change
    with pytest.raises(NotPossible):
        change.look("admin", ADMIN)
    house.install_anew(OTHER)
    ticket = change.look("admin", ADMIN).ticket

    with pytest.raises(NotPossible):
        change.accept("another")
    house.clock.advance(1000)
    with pytest.raises(NotPossible):
        change.accept(ticket)
    ticket = change.look("admin", ADMIN).ticket
    house.install_anew("8" * 32)
    with pytest.raises(NotPossible):
        change.accept(ticket)
    assert house.services.accounts.service.server_id not in {OTHER, "8" * 32}
