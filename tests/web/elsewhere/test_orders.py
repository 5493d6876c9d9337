"""What is pressed on a page is done by the machine that has the device, and shown on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from sidecar.domain.downloads.download import Download, Status, Validator
from sidecar.domain.processes.orders import LASTS, MOST_TRIES, OrderState
from sidecar.errors import DeviceError
from sidecar.messages import msg
from sidecar.services.accounts.person import Person
from sidecar.services.devices.access import Management
from sidecar.services.files.adoption.adopt import FileMatch, OfferView
from sidecar.services.orders.kinds import OrderKinds
from sidecar.services.players.device_playlists.views import ListDecision
from sidecar.services.players.player_logs.states import Wanted
from sidecar.services.processes.told_values import read_value, write_value
from sidecar.store.devices.orders import Order
from tests.fakes.clock import START, FakeClock
from tests.services.conftest import STICK, track
from tests.web.elsewhere.house_and_car import Car, house_and_car
from tests.web.house import ANN, BEN, EVE, Browser, WebHouse, only_for
from tests.web.returned import bring_song

DEVICE = f"/devices/{STICK}"


@pytest.fixture
def both(quick_path: Path, clock: FakeClock) -> Iterator[tuple[WebHouse, Car]]:
    with house_and_car(quick_path, clock, only_for("ann")) as built:
        yield built


@pytest.fixture
def house(both: tuple[WebHouse, Car]) -> WebHouse:
    return both[0]


@pytest.fixture
def car(both: tuple[WebHouse, Car]) -> Car:
    return both[1]


def orders(house: WebHouse, person: Person = ANN) -> list[Order]:
    return list(house.store.orders.of(person.user_id))


def test_a_device_elsewhere_is_ejected_there_and_used_again(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    registry = car.services.devices.registry
    assert ">Eject<" in ann.get("/").text, "it is offered although the stick is elsewhere"

    pressed = ann.press(f"{DEVICE}/unplug")

    assert pressed.status_code == HTTPStatus.SEE_OTHER
    assert "Asked car to eject Car stick …" in ann.get("/").text
    assert registry.ids_there() == [STICK], "nothing is done on the way"
    ann.press(f"{DEVICE}/unplug")
    assert len(orders(house)) == 1, "impatience is no second order"

    car.work()
    house.look_at_devices()
    assert registry.ids_there() == []
    page = ann.get("/devices").text
    assert "Asked car to eject Car stick: It may be unplugged." in page
    assert "Safe to remove: nothing is being written." in page
    ann.press(f"{DEVICE}/unplug", use="yes")
    assert "Asked car to reconnect Car stick …" in ann.get("/").text

    car.work()
    assert registry.ids_there() == [STICK]
    house.look_at_devices()
    assert "Asked car to reconnect Car stick: It is used again." in ann.get("/devices").text


def test_a_file_elsewhere_is_deleted_there_once(
    house: WebHouse, car: Car, ann: Browser, clock: FakeClock
) -> None:
    gone, other = (house.add(one, status=Status.COMPLETED) for one in (1, 2))
    set_clock_of_car(house, gone, hours=1)

    told = ann.send("DELETE", f"/api/v1/downloads/{gone.id}", {})

    assert (told.status_code, told.get_json()["result"]) == (HTTPStatus.OK, "asked"), told.text
    assert told.get_json()["message"] == "Asked car to delete files from Car stick"
    assert house.path(gone).exists()
    given = orders(house)[0]
    car.work()
    assert not house.path(gone).exists()
    assert house.status(gone) is Status.REMOVED
    assert house.status(other) is Status.COMPLETED
    assert "1 file was deleted" in ann.get("/downloads").text

    # Ann wants it again, and has it; then a machine comes back that had died in the middle.
    clock.advance(60)
    assert house.store.downloads.transitions.want_again(house.now(gone), user_id=ANN.user_id)
    again = house.add(1, status=Status.COMPLETED)
    set_clock_of_car(house, again, hours=-1)
    house.store.orders.add(replace(given_as_new(given), machine="car"))
    car.work()
    assert house.status(again) is Status.COMPLETED
    assert house.path(again).exists()
    assert orders(house)[0].answer == "0 files were deleted"


def set_clock_of_car(house: WebHouse, came: Download, *, hours: int) -> None:
    """Let a file have come at another time by the clock of its machine, which is off."""
    off = "UPDATE downloads SET completed_at = completed_at + ? WHERE id = ?"
    house.store.db.sql(off, (hours * 3_600_000, came.id))


def given_as_new(order: Order) -> Order:
    """Return the same order, to be given once more as it was given then."""
    return order


def test_a_deletion_elsewhere_is_undone_until_it_is_begun(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    kept, gone = (house.add(one, status=Status.COMPLETED) for one in (1, 2))

    def delete(one: Download) -> str:
        pressed = ann.press(f"/downloads/{one.id}/act", action="delete")
        page = ann.get(pressed.headers["Location"]).text
        assert "Another machine was asked to delete 1 file" in page
        (token,) = re.findall(r'name="token" value="([^"]+)"', page)
        return str(token)

    undone = ann.press("/undo", token=delete(kept))
    assert undone.status_code == HTTPStatus.SEE_OTHER
    assert "It is undone." in ann.get(undone.headers["Location"]).text
    assert orders(house) == []
    token = delete(gone)
    car.work()
    assert "another machine has begun it" in ann.press("/undo", token=token).text
    assert (house.status(kept), house.path(kept).exists()) == (Status.COMPLETED, True)
    assert (house.status(gone), house.path(gone).exists()) == (Status.REMOVED, False)
    assert "1 file was deleted" in ann.get("/downloads").text


def test_what_is_cancelled_here_leaves_no_part_file_at_the_machine_of_the_device(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    running = [house.add(one, status=Status.DOWNLOADING) for one in (1, 2, 3, 4)]
    cancelled, kept, wanted, busy = running
    folder = car.services.devices.registry.get(STICK).folder
    validator = Validator(last_modified=None, total=8)
    for one in running:
        with folder.part(one.id).open() as part:
            part.write(b"some")
        house.store.downloads.transitions.transfer_started(one.id, validator, 4)
    for one, keeps in ((cancelled, False), (kept, True), (busy, False)):
        path = f"/api/v1/downloads/{one.id}/cancel"
        assert ann.send("POST", path, {"keep_part": keeps}).status_code == HTTPStatus.OK
    car.services.devices.claims.begin(busy.id, STICK)

    car.services.background.housekeeping.sweep_cancelled()

    there = {one.download_id for one in folder.parts()}
    assert there == {kept.id, wanted.id, busy.id}


def test_a_machine_that_is_silent_does_it_when_it_is_back_or_not_if_it_is_cancelled(
    house: WebHouse, car: Car, ann: Browser, clock: FakeClock
) -> None:
    car.die()
    house.look_at_devices()
    clock.advance(120)

    ann.press(f"{DEVICE}/unplug")

    page = ann.get("/").text
    assert "Asked car to eject Car stick. car was last heard of 2 minutes ago" in page
    car.come_back()
    clock.advance(5)
    assert "last heard of" not in ann.get("/").text
    car.work()
    car.work()
    [done] = orders(house)
    assert (done.state, done.tries) == (OrderState.DONE, 1)

    ann.press(f"{DEVICE}/unplug", use="yes")
    [order, _] = orders(house)
    ann.press("/orders/drop", order=order.id)
    car.work()
    assert [one.id for one in orders(house)] == [done.id]
    assert car.services.devices.registry.ids_there() == [], "it was not reconnected"
    # A second press on Cancel, or Close, harms nothing, and neither does a number that none has.
    for number in (order.id, -(10**30), 10**30):
        assert ann.press("/orders/drop", order=number).status_code == HTTPStatus.SEE_OTHER


def test_who_has_lost_their_rights_meanwhile_is_refused_where_it_is_done(
    house: WebHouse, car: Car, eve: Browser
) -> None:
    eve.press(f"{DEVICE}/unplug")
    account = house.store.accounts.get(EVE.user_id)
    assert account is not None
    house.store.accounts.save(replace(account, is_admin=False))

    car.work()

    [refused] = orders(house, EVE)
    assert refused.state is OrderState.REFUSED
    assert refused.answer == "You may not do this any more"
    assert car.services.devices.registry.ids_there() == [STICK]


def test_who_has_signed_out_meanwhile_is_refused(house: WebHouse, car: Car, ann: Browser) -> None:
    ann.press(f"{DEVICE}/unplug")
    account = house.store.accounts.get(ANN.user_id)
    assert account is not None
    house.store.accounts.save(replace(account, is_signed_in=False))

    car.work()

    assert [one.state for one in orders(house)] == [OrderState.REFUSED]


def test_rights_are_checked_where_it_is_pressed_as_well(
    house: WebHouse, ben: Browser, ann: Browser
) -> None:
    assert ben.press(f"{DEVICE}/unplug").status_code == HTTPStatus.NOT_FOUND
    for what in ("files", "log", "player", "lists"):
        assert ben.press(f"{DEVICE}/look", what=what).status_code == HTTPStatus.NOT_FOUND
        answer = ben.send("POST", f"/api/v1/devices/{STICK}/looks", {"what": what})
        assert answer.status_code == HTTPStatus.NOT_FOUND
    ann.press(f"{DEVICE}/unplug")
    [order] = orders(house)
    assert ben.send("DELETE", f"/api/v1/orders/{order.id}").status_code == HTTPStatus.NOT_FOUND
    assert ben.told("/api/v1/orders")["items"] == []
    assert "eject" not in ben.get("/").text
    assert orders(house) == [order]
    assert orders(house, BEN) == []


def test_what_is_on_a_device_elsewhere_is_looked_at_and_taken_there(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    bring_song(house)
    asked = ann.get(f"{DEVICE}/found")
    assert asked.status_code == HTTPStatus.CONFLICT
    assert "Car stick is on car" in asked.text
    assert "Ask that machine to look" in asked.text
    assert orders(house) == [], "who only looks gives no order"

    ann.press(f"{DEVICE}/look", what="files")
    car.work()

    page = ann.get(DEVICE).text
    assert "1 file was found that matches your library" in page
    assert f'href="{DEVICE}/found"' in page
    found = ann.get(f"{DEVICE}/found")
    assert found.status_code == HTTPStatus.OK
    assert "Tone 7" in found.text
    ann.press(f"{DEVICE}/found", all="yes", sure="yes")
    assert "Asked car to import existing files on Car stick …" in ann.get("/").text
    car.work()
    assert house.row(7).status is Status.COMPLETED
    assert "1 file was imported" in ann.get("/").text
    assert ann.get(f"{DEVICE}/found").status_code == HTTPStatus.CONFLICT, "it has changed since"


def test_a_program_is_told_of_the_order_and_follows_it(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    looks = f"/api/v1/devices/{STICK}/looks"
    given = ann.send("POST", looks, {"what": "log"})
    assert given.status_code == HTTPStatus.ACCEPTED
    assert given.json == {
        "id": given.get_json()["id"],
        "device_id": STICK,
        "kind": "look-at-log",
        "machine": "car",
        "text": "Asked car to read the player's log on Car stick",
        "state": "open",
        "made_at": "2026-11-01T12:00:00.000Z",
        "running": False,
        "silent_since": None,
        "answer": "",
    }
    assert ann.send("POST", looks, {"what": "weather"}).status_code == 422
    assert ann.get(f"/api/v1/devices/{STICK}/log").status_code == HTTPStatus.CONFLICT

    car.work()

    [told] = ann.told("/api/v1/orders")["items"]
    assert (told["state"], told["answer"]) == ("done", "0 plays were found")
    assert ann.told(f"/api/v1/devices/{STICK}/log")["plays"] == []
    assert ann.send("DELETE", f"/api/v1/orders/{told['id']}").status_code == HTTPStatus.NO_CONTENT
    assert ann.told("/api/v1/orders")["items"] == []


def test_what_is_refused_there_is_told_with_the_reason(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    ann.press(f"{DEVICE}/heard")
    ann.press("/devices/" + STICK + "/confirm", plan_id="of yesterday")

    car.work()

    page = ann.get("/").text
    assert "it was refused. The plan has changed meanwhile: look at it again." in page
    assert {one.state for one in orders(house)} == {OrderState.DONE, OrderState.REFUSED}


def test_an_order_that_this_version_does_not_know_is_refused(house: WebHouse, car: Car) -> None:
    new = orders_of_newer(house)

    car.work()

    assert [one.state for one in orders(house)] == [OrderState.REFUSED] * len(new)
    assert {one.answer for one in orders(house)} == {
        "The sidecar there is of another version and does not know how: update it"
    }


def orders_of_newer(house: WebHouse) -> list[Order]:
    """Give orders as a newer version may: of a new kind, and with other values."""
    given = Order(
        id=0,
        device_id=STICK,
        user_id=ANN.user_id,
        machine="car",
        kind="paint",
        given="[]",
        what="paint Car stick",
        made_at=START,
        state=OrderState.OPEN,
        process_id=None,
        tries=0,
        ended_at=None,
        answer=None,
        result=None,
    )
    odd = replace(given, kind="confirm-plan", given='[{"plan": 1}]')
    return [house.store.orders.add(one) for one in (given, odd)]


def test_an_order_that_a_living_machine_could_never_end_is_over_and_says_so(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    ann.press(f"{DEVICE}/unplug")
    for _ in range(MOST_TRIES):
        assert car.store.orders.take([STICK]) is not None

    car.work()

    assert [one.state for one in orders(house)] == [OrderState.FAILED]
    assert "It was begun several times and never came to an end" in ann.get("/").text
    assert car.services.devices.registry.ids_there() == [STICK], "it is not begun once more"


def test_an_order_that_nobody_could_do_for_a_day_is_over_and_says_so(
    house: WebHouse, car: Car, ann: Browser, clock: FakeClock
) -> None:
    car.die()
    house.look_at_devices()
    ann.press(f"{DEVICE}/unplug")
    clock.advance((LASTS + timedelta(seconds=1)).total_seconds())

    house.services.devices.orders.end_stale()

    assert [one.state for one in orders(house)] == [OrderState.EXPIRED]
    assert "it was not done. Nobody could do it for a day" in ann.get("/").text


def test_a_device_that_was_unplugged_elsewhere_takes_no_orders(
    house: WebHouse, car: Car, ann: Browser
) -> None:
    house.folder.rename(house.folder.with_name("in the pocket"))
    car.look()
    house.look_at_devices()

    answer = ann.get(f"{DEVICE}/found")

    assert answer.status_code == HTTPStatus.CONFLICT
    assert "Ask that machine" not in answer.text
    assert ann.press(f"{DEVICE}/look", what="files").location == f"{DEVICE}/found"
    assert orders(house) == []


def test_every_kind_reads_the_values_that_it_is_given(house: WebHouse) -> None:
    kinds = house.services.web.orders.kinds
    values: dict[str, tuple[object, ...]] = {
        kinds.delete.name: (((7, START), (8, START)), True),
        kinds.answer_removals.name: (True, (7, 8)),
        kinds.confirm_plan.name: ("abc",),
        kinds.adopt.name: (("f" * 16,),),
        kinds.take_states.name: (Wanted(hearts=True, answers={"a": True}),),
        kinds.give.name: (True, False),
        kinds.answer_list.name: ("Road.m3u8", "f" * 16, ListDecision.TAKE),
        kinds.undo_list.name: ("Road.m3u8",),
    }
    assert len(kinds.by_name()) == len(OrderKinds.__dataclass_fields__), "each has its own name"
    for name, kind in kinds.by_name().items():
        given = values.get(name, ())
        read = TypeAdapter(kind.given).validate_python(to_jsonable_python(given))
        assert to_jsonable_python(read) == to_jsonable_python(given), name


def test_what_a_machine_found_keeps_its_sentences_in_every_language(house: WebHouse) -> None:
    match = FileMatch(
        id="f" * 16,
        path="a.flac",
        size=5,
        item_id=track(7).id,
        title="Tone 7",
        artist=None,
        album=None,
        why=msg("same {what}", what=msg("tags")),
    )
    offer = OfferView(
        device_id=STICK,
        device_name="Car stick",
        management=Management(may_manage=True, managers=("ann",)),
        found=1,
        matched=[match],
        matched_total=1,
    )
    form = house.services.web.orders.kinds.look_for_files.result
    assert form is not None

    read = read_value(form, write_value(offer))

    assert write_value(read) == write_value(offer)
    [again] = read.matched
    assert again.why.values == {"what": "tags"}  # type: ignore[attr-defined]


def test_a_title_that_looks_like_a_sentence_of_ours_is_none() -> None:
    titles = ('{"msg": "Safe to remove"}', '{"msg": ')
    assert read_value(tuple[str, ...], write_value(titles)) == titles


def test_machines_are_listed_with_what_they_have_and_what_waits_and_removed_when_silent(
    house: WebHouse, car: Car, ann: Browser, eve: Browser, clock: FakeClock
) -> None:
    page = eve.get("/admin/machines").text
    assert "<strong>car</strong>" in page
    assert "<strong>nas</strong>" in page
    assert f'<a href="{DEVICE}">Car stick</a>' in page
    assert "was there last" not in page
    assert "It runs version" not in page, "what says no version is none"
    assert "Remove …" not in page
    assert eve.press("/admin/machines/remove", machine="car", sure="yes").status_code == 422
    assert eve.press("/admin/machines/remove", machine="moon").status_code == HTTPStatus.NOT_FOUND
    assert ann.press("/admin/machines/remove", machine="car").status_code == HTTPStatus.FORBIDDEN

    car.die()
    ann.press(f"{DEVICE}/unplug")
    clock.advance(120)
    house.store.processes.renew()
    page = eve.get("/admin/machines").text
    assert "1 order waits for it" in page
    assert "(was there last)" in page
    assert "last heard of" in page
    asked = eve.press("/admin/machines/remove", machine="car").text
    assert "1 device was there last" in asked
    assert "1 order waits for it" in asked
    eve.press("/admin/machines/remove", machine="car", sure="yes")

    assert "<strong>car</strong>" not in eve.get("/admin/machines").text
    there = house.store.device_machines.all()
    assert [(one.machine, one.is_held) for one in there] == [("car", False)]
    car.store.processes.take_another_id()
    car.store.processes.register("car", "/car", is_alone=False, version="0.0.9", roles="work")
    page = eve.get("/admin/machines").text
    assert "It runs version 0.0.9, and this page comes from version" in page
    assert "work, version 0.0.9" in page


def test_files_are_not_played_through_another_machine(house: WebHouse, ann: Browser) -> None:
    one = house.add(1, status=Status.COMPLETED)
    with pytest.raises(DeviceError, match="is on car"):
        house.services.devices.registry.get(one.device_id)
