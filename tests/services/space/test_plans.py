from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.device.inspect import read_space_at
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download
from sidecar.domain.items.item import Item
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import DeviceError, NotFound, NotVisible
from sidecar.services.accounts.person import Person
from sidecar.services.devices.settings import DeviceSettingsService
from sidecar.services.devices.views import DeviceView
from sidecar.services.health.problems import Problems
from sidecar.services.rules.wishes import WishService
from sidecar.services.space import planner
from sidecar.services.space.planner import PlanChanged, SpacePlanner
from sidecar.services.space.plans import PlanService
from sidecar.services.transfers.claims import Claims
from sidecar.services.transfers.finishing.formats import DeviceFormats
from sidecar.store.devices.settings import DeviceSettingsStore
from sidecar.store.downloads.inventory import Inventory
from tests.services.conftest import ANN, STICK, World, access_to, owned, registry_of, track

BLOCK = 4096
ANN_HERSELF = Person(ANN, "ann", is_admin=False)
BEN = Person("b" * 32, "ben", is_admin=False)
EVE = Person("e" * 32, "eve", is_admin=True)
OTHER = Person("c" * 32, "carl", is_admin=False)


@pytest.fixture
def plans(world: World, tmp_path: Path) -> Iterator[PlanService]:
    """A stick that ann and ben use: ann wants a track, ben one that never fits."""
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    problems = Problems(world.bus)
    settings = DeviceSettings(
        name="Car stick",
        path=stick,
        budget=ByteSize(10 * BLOCK),
        reserve=ByteSize(0),
        users=("ann", "ben"),
        managers=("ann",),
    )
    registry = registry_of(world, settings, problems=problems)
    room = SpacePlanner(
        stores=world.stores,
        registry=registry,
        problems=problems,
        bus=world.bus,
        in_use=frozenset,
        clock=world.clock,
    )

    def devices(person: Person) -> Sequence[DeviceView]:
        if not (person.is_admin or settings.serves(person.name)):
            return []
        return [DeviceView(STICK, "Car stick", "", None, 10 * BLOCK, 0, None, None)]

    def item(download: Download) -> Item:
        raise NotFound(download.item_id)

    wish(world, ANN, track(1, size=BLOCK))
    wish(world, BEN.user_id, track(2, size=11 * BLOCK))
    yield PlanService(
        access=access_to(world, registry.settings),
        ownership=owned(world),
        devices=devices,
        room=room,
        outlook=room.outlook,
        inventory=Inventory(world.db),
        activity=world.stores.activity,
        formats=DeviceFormats(
            DeviceSettingsService(
                [settings],
                devices=world.devices,
                store=DeviceSettingsStore(world.db),
                stop_on=lambda _device_id: None,
                bus=world.bus,
            ),
            stores=world.stores,
            registry=registry,
            claims=Claims(),
            item=item,
            server_is_there=lambda: True,
        ),
    )
    registry.close()


def wish(world: World, user_id: str, item: Item) -> None:
    planning = WishService(world.db, world.holds, world.downloads, world.clock)
    why = Reason("favourites", item.id, "your favourite")
    planning.hold([Wish(user_id, STICK, item, why)], lambda _ids: {item.id: item})


def test_everybody_who_uses_a_device_sees_its_plan_but_only_their_own_titles(
    plans: PlanService,
) -> None:
    (ann,), (ben,), (eve,) = (plans.all(one) for one in (ANN_HERSELF, BEN, EVE))

    assert [one.title for one in ann.adds] == ["Tone 1"]
    assert [(one.title, one.download_id, one.code) for one in ann.refusals] == [
        (None, None, "too-big")
    ]
    assert [one.title for one in ben.adds] == [None]
    assert [one.title for one in ben.refusals] == ["Tone 2"]
    assert [one.title for one in (*eve.adds, *eve.refusals)] == ["Tone 1", "Tone 2"]
    assert (ann.bytes_added, ben.bytes_added, eve.bytes_added) == (BLOCK, 1_000_000, BLOCK)


def test_the_numbers_are_those_of_all_lines_however_few_are_read(plans: PlanService) -> None:
    for who in (ANN_HERSELF, BEN, EVE):
        whole, short = plans.one(who, STICK), plans.one(who, STICK, 0)

        assert (short.adds, short.removals, short.refusals) == ((), (), ())
        assert (short.files_added, short.bytes_added) == (1, whole.bytes_added)
        assert (short.files_refused, short.files_removed) == (1, 0)
        assert not short.is_settled


def test_what_was_cancelled_since_is_not_in_a_plan_and_is_nobody_elses(
    plans: PlanService, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if it were of so many files that it is made anew seldom.
    monkeypatch.setattr(planner, "FEW_FILES", 0)
    wish(world, ANN, track(3, size=BLOCK))
    before = plans.one(ANN_HERSELF, STICK)
    assert (before.files_added, before.bytes_added) == (2, 2 * BLOCK)

    waits = world.downloads.queries.by_item(STICK, track(1).id)
    assert waits is not None
    assert world.downloads.queue.cancel(waits)

    for who, title, size in (
        (ANN_HERSELF, "Tone 3", BLOCK),
        (EVE, "Tone 3", BLOCK),
        (BEN, None, 1_000_000),
    ):
        now = plans.one(who, STICK)
        assert [one.title for one in now.adds] == [title]
        assert (now.files_added, now.bytes_added, now.files_refused) == (1, size, 1)


def test_a_device_of_others_does_not_exist(plans: PlanService) -> None:
    assert plans.all(OTHER) == []
    for who, device_id in ((OTHER, STICK), (ANN_HERSELF, "another")):
        with pytest.raises(NotVisible):
            plans.one(who, device_id)
        with pytest.raises(NotVisible):
            plans.confirm(who, device_id, "any")
        with pytest.raises(NotVisible):
            plans.reformat(who, device_id, "mp3")


def test_only_the_plan_that_was_shown_is_confirmed(plans: PlanService) -> None:
    with pytest.raises(PlanChanged):
        plans.confirm(ANN_HERSELF, STICK, "any")


def test_the_space_adds_up(plans: PlanService) -> None:
    found = plans.one(ANN_HERSELF, STICK)

    assert found.space is not None
    space = found.space
    parts = space.lasting + space.passing + space.others + space.reserve + space.free
    assert parts == space.total
    assert space.most == 10 * BLOCK


def test_a_device_that_is_gone_has_no_plan(plans: PlanService, tmp_path: Path) -> None:
    (tmp_path / "stick").rename(tmp_path / "elsewhere")

    found = plans.one(ANN_HERSELF, STICK)

    assert found is not None
    assert found.trouble is not None
    assert found.plan_id is None


def test_the_room_of_a_device_can_be_seen_without_taking_it(tmp_path: Path) -> None:
    write_marker(tmp_path, Marker(STICK, "Car stick"))
    before = sorted(tmp_path.rglob("*"))

    assert read_space_at(tmp_path, STICK, name="Car stick").total > 0
    with pytest.raises(DeviceError, match="Car stick"):
        read_space_at(tmp_path, "2" * 36, name="Car stick")
    with pytest.raises(DeviceError, match="Car stick"):
        read_space_at(tmp_path / "none", STICK, name="Car stick")
    assert sorted(tmp_path.rglob("*")) == before
