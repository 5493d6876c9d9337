from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import peewee
import pytest
import xxhash
from pydantic import ByteSize

from sidecar.config import DeviceSettings
from sidecar.device.folder import DeviceFolder
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.removals import FileChange
from sidecar.domain.space.eviction import REST
from sidecar.domain.space.plan import Plan, RefusedAdd
from sidecar.domain.wishes import Reason, Wish
from sidecar.errors import DeviceError
from sidecar.events import DeviceChanged, DownloadChanged
from sidecar.process.heap import taking_turns
from sidecar.services.devices.registry import DeviceRegistry
from sidecar.services.files.removals.record import RemovalRecorder
from sidecar.services.health.problems import ProblemKind, Problems
from sidecar.services.rules.wishes import WishService
from sidecar.services.space.planner import (
    DevicePlanState,
    EvictionBlock,
    PlanChanged,
    SpacePlanner,
    space_problem,
)
from sidecar.store.downloads.insert import FilePlace
from sidecar.store.downloads.order import NotNow
from sidecar.store.rules.cooldowns import EvictionCooldowns
from sidecar.store.rules.tombstones import Tombstones
from tests.fakes.turns import OthersFirst
from tests.services.conftest import ANN, STICK, World, registry_of, track
from tests.statements import broken, trace

BLOCK = 4096


@dataclass
class House:
    """A device with room for ten blocks, and what keeps it in order; files are put there by us."""

    world: World
    registry: DeviceRegistry
    problems: Problems
    room: SpacePlanner
    stick: Path
    in_use: set[str] = field(default_factory=set)
    awaited: list[EvictionBlock] = field(default_factory=list)

    def wishes(self, number: int, rule: str = "favourites", *, blocks: int = 1) -> Download:
        item = track(number, size=blocks * BLOCK)
        planning = WishService(
            self.world.db, self.world.holds, self.world.downloads, self.world.clock
        )
        planning.hold(
            [Wish(ANN, STICK, item, Reason(rule, item.id, "because"))], lambda _ids: {item.id: item}
        )
        return self.now(number)

    def brings(self, number: int, rule: str = "", *, blocks: int = 1) -> Download:
        """Let a file arrive; without a rule nobody holds it any more."""
        self.wishes(number, rule or "latest", blocks=blocks)
        waits = self.now(number).id
        (running,) = self.world.downloads.queue.claim_together(
            self.world.clock.now(), NotNow(downloads=range(1, waits)), at_most=1
        )
        assert running.id == waits
        path = self.stick / running.file_path
        path.parent.mkdir(parents=True, exist_ok=True)
        body = bytes(blocks * BLOCK)
        path.write_bytes(body)
        self.world.downloads.transitions.mark_arrived(
            running,
            size=len(body),
            content_hash=xxhash.xxh3_128_hexdigest(body),
            mime_type=None,
        )
        if not rule:
            self.lets_go(number)
        return self.now(number)

    def lets_go(self, number: int) -> None:
        self.world.holds.release(user_id=ANN, at=self.world.clock.now(), item_id=track(number).id)
        self.world.holds.drop_due(self.world.clock.now())

    def now(self, number: int) -> Download:
        found = self.world.downloads.queries.by_item(STICK, track(number).id)
        assert found is not None
        return found

    def states(self, *numbers: int) -> list[str]:
        return [str(self.now(number).status) for number in numbers]

    def is_there(self, number: int) -> bool:
        return (self.stick / self.now(number).file_path).is_file()

    def resting(self) -> set[str]:
        return set(
            EvictionCooldowns(self.world.db, self.world.clock).list_cooling_down(
                STICK, self.world.clock.now()
            )
        )


@pytest.fixture
def house(world: World, tmp_path: Path) -> Iterator[House]:
    stick = tmp_path / "stick"
    stick.mkdir()
    write_marker(stick, Marker(STICK, "Car stick"))
    problems = Problems(world.bus)
    settings = DeviceSettings(
        name="Car stick", path=stick, budget=ByteSize(10 * BLOCK), reserve=ByteSize(0)
    )
    registry = registry_of(world, settings, problems=problems)
    in_use: set[str] = set()
    awaited: list[EvictionBlock] = []
    room = SpacePlanner(
        stores=world.stores,
        registry=registry,
        problems=problems,
        bus=world.bus,
        in_use=lambda: in_use,
        clock=world.clock,
        awaited=lambda _: awaited[0] if awaited else None,
    )
    yield House(world, registry, problems, room, stick, in_use, awaited)
    registry.close()


def test_what_other_devices_wait_for_stays_until_they_have_it(house: House) -> None:
    for number in range(1, 11):
        house.brings(number, "" if number in {4, 7} else "favourites")
    text = "what may go waits until Ann's phone has 1 newer file"
    house.awaited.append(EvictionBlock(frozenset({house.now(4).id, house.now(7).id}), text))
    house.wishes(11)

    house.room.step()

    assert house.is_there(4)
    assert house.is_there(7)
    trouble = house.problems.of(ProblemKind.ROOM, STICK)
    assert trouble is not None
    assert trouble.text == f"1 download doesn't fit on Car stick: {text}"
    assert house.now(11).id in house.room.held_back()

    house.awaited.clear()
    house.world.bus.publish(DeviceChanged(STICK))
    house.room.step()

    assert house.states(4, 7) == ["removed", "completed"]
    assert house.problems.of(ProblemKind.ROOM, STICK) is None
    assert house.now(11).id not in house.room.held_back()


def test_what_nobody_wants_makes_room_and_rests(house: House) -> None:
    for number in range(1, 11):
        house.brings(number, "" if number in {4, 7} else "favourites")
    house.wishes(11)

    house.room.step()

    assert house.states(4, 7, 11) == ["removed", "completed", "pending"]
    assert not house.is_there(4)
    assert house.is_there(7)
    assert house.resting() == {track(4).id}
    house.world.clock.advance(REST.total_seconds())
    assert house.resting() == set()


def test_what_has_no_room_yet_is_held_back_and_let_in_once_it_has(house: House) -> None:
    for number in range(1, 11):
        house.brings(number, "favourites")
    waits = house.wishes(11)
    house.room.step()
    assert house.room.held_back() == {waits.id}
    note = house.problems.of(ProblemKind.ROOM, STICK)
    assert note is not None
    assert note.text.startswith("1 download doesn't fit on Car stick")

    house.lets_go(3)
    house.room.step()

    assert house.room.held_back() == set()
    assert house.states(3, 11) == ["removed", "pending"]
    house.room.step()
    assert house.problems.of(ProblemKind.ROOM, STICK) is None


def test_more_than_it_may_hold_and_all_to_stay_is_said_and_nothing_goes(house: House) -> None:
    for number in range(1, 12):
        house.brings(number, "favourites")
    waits = house.wishes(20)

    house.room.step()

    assert house.states(*range(1, 12)) == ["completed"] * 11
    assert house.room.held_back() == {waits.id}
    note = house.problems.of(ProblemKind.ROOM, STICK)
    assert note is not None
    assert (note.code, note.text[:31]) == ("over", "Car stick is over its storage l")


def test_a_file_that_never_fits_fails_and_the_smaller_ones_go_on(house: House) -> None:
    house.brings(1)
    house.wishes(2, blocks=11)
    small = house.wishes(3)

    house.room.step()

    assert house.states(1, 2, 3) == ["completed", "failed", "pending"]
    assert house.now(2).error_code == "too-big"
    assert "larger" in (house.now(2).error_message or "")
    assert small.id not in house.room.held_back()


def test_a_file_does_not_fail_by_limits_that_were_changed_since_the_plan(house: House) -> None:
    raised: list[bool] = []

    def current(_device_id: str, settings: DeviceSettings) -> DeviceSettings:
        return settings.with_changes({"budget": 20 * BLOCK}) if raised else settings

    house.registry.close()
    (settings,) = house.registry.settings()
    registry = registry_of(house.world, settings, problems=house.problems, current=current)
    room = SpacePlanner(
        stores=house.world.stores,
        registry=registry,
        problems=house.problems,
        bus=house.world.bus,
        in_use=frozenset,
        clock=house.world.clock,
    )
    house.wishes(2, blocks=11)
    house.wishes(3, blocks=11)
    # Right after the first one has failed.
    house.world.bus.subscribe(lambda event: raised.append(isinstance(event, DownloadChanged)))

    room.step()
    registry.close()

    assert sorted(house.states(2, 3)) == ["failed", "pending"]


def test_many_removals_wait_for_a_person_while_what_fits_goes_on(house: House) -> None:
    for number in range(1, 10):
        house.brings(number)
    large, small = house.wishes(20, blocks=8), house.wishes(21, "queue_ahead")

    house.room.step()

    assert house.states(*range(1, 10)) == ["completed"] * 9
    assert house.room.held_back() == {large.id}
    waiting = house.room.waiting_for_room(STICK)
    assert waiting is not None
    assert waiting.why(large.id) == (
        "It fits once somebody confirms that 8 files are removed from Car stick"
    )
    assert small.id not in house.room.held_back()
    note = house.problems.of(ProblemKind.ROOM, STICK)
    assert note is not None
    assert note.code == "confirm"

    found = house.room.plan(STICK)
    assert found.needs_confirmation
    house.room.confirm(STICK, found.id)
    house.room.step()

    assert house.states(*range(1, 10)).count("removed") == len(found.removals) == 8
    house.room.step()
    assert house.room.held_back() == set()
    assert house.problems.of(ProblemKind.ROOM, STICK) is None


def test_what_plays_just_now_is_not_among_what_may_go(house: House) -> None:
    for number in (1, 2):
        house.brings(number)
    house.in_use.add(track(1).id)

    found = house.room.outlook(STICK)

    assert found.bytes_may_go == house.now(2).expected_size
    assert found.bytes_lasting == house.now(1).expected_size


def test_only_the_plan_that_was_shown_can_be_confirmed(house: House) -> None:
    for number in range(1, 10):
        house.brings(number)
    house.wishes(20, blocks=7)
    shown = house.room.plan(STICK)
    house.in_use.add(track(1).id)

    with pytest.raises(PlanChanged):
        house.room.confirm(STICK, shown.id)

    house.room.step()
    assert house.states(*range(1, 10)) == ["completed"] * 9


def test_what_others_wait_for_since_the_confirmation_stays(house: House) -> None:
    for number in range(1, 10):
        house.brings(number)
    house.wishes(20, blocks=9)
    house.room.confirm(STICK, house.room.plan(STICK).id)
    house.awaited.append(EvictionBlock(frozenset({house.now(3).id}), "what may go waits"))

    house.room.step()

    assert house.is_there(3)
    assert not house.is_there(4)


def test_what_somebody_came_to_want_after_the_confirmation_stays(house: House) -> None:
    for number in range(1, 10):
        house.brings(number)
    house.wishes(20, blocks=9)
    house.room.confirm(STICK, house.room.plan(STICK).id)
    house.wishes(1)
    house.in_use.add(track(2).id)

    house.room.step()

    assert house.states(1, 2, 3) == ["completed", "completed", "removed"]
    assert house.is_there(1)


def interrupted(house: House, act: Callable[[], object]) -> SpacePlanner:
    """Return what makes room, and has something else happen before the first file goes."""
    # Asked twice for the plan, and then before each file goes.
    acts = iter([lambda: None, lambda: None, act])

    def look(_device_id: str) -> EvictionBlock | None:
        next(acts, lambda: None)()
        return None

    return SpacePlanner(
        stores=house.world.stores,
        registry=house.registry,
        problems=house.problems,
        bus=house.world.bus,
        in_use=frozenset,
        clock=house.world.clock,
        awaited=look,
    )


@pytest.mark.parametrize("has_another_id", [False, True])
def test_what_somebody_comes_to_want_right_before_it_goes_stays(
    house: House, *, has_another_id: bool
) -> None:
    for number in range(1, 11):
        house.brings(number, "" if number == 4 else "favourites")
    wanted = 44 if has_another_id else 4

    def want() -> None:
        if has_another_id:
            house.world.downloads.identity.follow({track(4).id: track(wanted, size=BLOCK)})
        house.wishes(wanted)
        seen.append(house.is_there(wanted))

    seen: list[bool] = []
    house.wishes(11)
    interrupted(house, want).step()

    assert seen == [True]
    assert house.states(wanted) == ["completed"]
    assert house.is_there(wanted)
    assert house.resting() == set()


def test_a_file_that_is_renamed_right_before_it_goes_is_evicted_at_its_new_place(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 11):
        house.brings(number, "" if number == 4 else "favourites")
    remove, renamed = DeviceFolder.remove, "renamed.flac"

    def remove_late(folder: DeviceFolder, path: str, **known: object) -> bool:
        if path != renamed:
            (house.stick / path).rename(house.stick / renamed)
            assert house.world.downloads.queue.follow(house.now(4), FilePlace(renamed, renamed))
        return remove(folder, path, **known)  # type: ignore[arg-type]  # as they were given

    monkeypatch.setattr(DeviceFolder, "remove", remove_late)
    house.wishes(11)
    house.room.step()

    house.room.step()

    assert house.states(4) == ["removed"]
    assert not (house.stick / renamed).exists()


@pytest.mark.parametrize("is_as_large", [False, True])
def test_a_file_that_is_not_as_it_arrived_is_left_alone(house: House, is_as_large: bool) -> None:
    for number in range(1, 11):
        house.brings(number, "" if number in {4, 7} else "favourites")
    theirs = house.stick / house.now(4).file_path
    size = theirs.stat().st_size
    theirs.write_bytes(b"*" * size if is_as_large else b"somebody else's")
    house.wishes(11)

    house.room.step()
    house.room.step()
    house.world.clock.advance(61)
    house.room.step()

    assert house.states(4, 7) == ["completed", "removed"]
    assert house.is_there(4)
    assert house.resting() == {track(7).id}


def test_a_device_in_trouble_is_left_alone_unless_it_is_full(house: House) -> None:
    for number in range(1, 11):
        house.brings(number)
    house.wishes(11)
    house.registry.trouble(STICK, DeviceError("read-only", "Car stick can only be read"))

    house.room.step()
    assert house.states(1) == ["completed"]

    house.registry.trouble(STICK, DeviceError("full", "Car stick is full"))
    house.room.step()
    assert house.states(1) == ["removed"]


def test_an_unplugged_device_is_left_alone(house: House) -> None:
    for number in range(1, 11):
        house.brings(number)
    house.wishes(11)
    house.stick.rename(house.stick.with_name("elsewhere"))

    house.room.step()

    assert house.states(1, 11) == ["completed", "pending"]
    trouble = house.problems.of(ProblemKind.DEVICE, STICK)
    assert trouble is not None
    assert trouble.code == "missing"


def test_nothing_is_looked_at_again_until_something_changed(house: House) -> None:
    house.brings(1)
    house.room.step()
    for number in range(2, 12):
        house.stick.joinpath(f"foreign {number}").write_bytes(b"")
    looked: list[str] = []
    trace(house.world.db, looked.append)

    house.room.step()
    assert looked == []

    house.world.clock.advance(61)
    house.room.step()
    assert looked != []


def test_a_plan_that_is_being_made_ends_when_the_sidecar_is_to_stop(house: House) -> None:
    house.brings(1)
    house.wishes(2)
    asked: list[int] = []

    def is_over() -> bool:
        asked.append(1)
        # In the middle: the holds are read, the files are not.
        return len(asked) == 2

    room = SpacePlanner(
        stores=house.world.stores,
        registry=house.registry,
        problems=house.problems,
        bus=house.world.bus,
        in_use=lambda: house.in_use,
        clock=house.world.clock,
        is_over=is_over,
    )

    room.step()

    assert (room.last_plan(STICK), len(asked)) == (None, 2)
    house.world.bus.publish(DeviceChanged(STICK))
    room.step()
    found = room.last_plan(STICK)
    assert found is not None
    assert found.files == 2


def test_what_may_be_large_is_planned_after_others_that_need_much_memory(house: House) -> None:
    house.brings(1)
    waits, asked = Event(), []

    def is_over() -> bool:
        waits.set()
        return False

    def awaited(device_id: str) -> None:
        asked.append(device_id)

    room = SpacePlanner(
        stores=house.world.stores,
        registry=house.registry,
        problems=house.problems,
        bus=house.world.bus,
        in_use=lambda: house.in_use,
        clock=house.world.clock,
        awaited=awaited,
        is_over=is_over,
    )
    step = Thread(target=room.step)

    with taking_turns():
        step.start()
        assert waits.wait(60)
        # Whoever makes a plan asks for this first.
        assert asked == []
    step.join(60)

    assert asked
    assert room.last_plan(STICK) is not None


def test_who_has_waited_for_others_that_need_much_memory_rests_no_longer_for_it(
    house: House,
) -> None:
    others = OthersFirst(house.world.clock)
    room = SpacePlanner(
        stores=house.world.stores,
        registry=house.registry,
        problems=house.problems,
        bus=house.world.bus,
        in_use=lambda: house.in_use,
        clock=house.world.clock,
        is_over=others.is_set,
    )
    room.step()
    assert others.were_waited_for
    house.wishes(1)

    room.step()

    found = room.last_plan(STICK)
    assert found is not None
    assert found.files == 1


def test_who_asks_for_a_plan_that_is_being_made_gets_that_one(house: House) -> None:
    house.brings(1)
    made: list[int] = []
    shown: list[DevicePlanState] = []
    page = Thread(target=lambda: shown.append(room.outlook(STICK)))

    def awaited(_device_id: str) -> EvictionBlock | None:
        made.append(1)
        if len(made) == 1:
            page.start()
        return None

    room = SpacePlanner(
        stores=house.world.stores,
        registry=house.registry,
        problems=house.problems,
        bus=house.world.bus,
        in_use=lambda: house.in_use,
        clock=house.world.clock,
        awaited=awaited,
    )

    first = room.outlook(STICK)
    alone = len(made)
    page.join(60)

    [later] = shown
    assert later is first
    # Only what it depends on was looked at again, if at all.
    assert len(made) <= alone + 1


def test_a_plan_that_takes_long_is_made_seldom_unless_a_person_waits_for_it(house: House) -> None:
    clock = house.world.clock
    planned: list[int] = []

    def slowly(_device_id: str) -> EvictionBlock | None:
        planned.append(1)
        clock.advance(seconds=1)
        return None

    room = SpacePlanner(
        stores=house.world.stores,
        registry=house.registry,
        problems=house.problems,
        bus=house.world.bus,
        in_use=lambda: house.in_use,
        clock=clock,
        awaited=slowly,
    )

    def plans() -> bool:
        planned.clear()
        room.step()
        return bool(planned)

    assert plans()
    took = len(planned)
    house.brings(1)
    assert not plans()
    clock.advance(seconds=9 * took - 1)
    assert not plans()
    clock.advance(seconds=1)
    assert plans()

    house.brings(2)
    assert not plans()
    house.world.bus.publish(DeviceChanged(STICK))
    assert plans()
    assert room.make_room(house.brings(3))
    assert plans()
    assert not plans()


def test_a_worker_that_finds_no_room_asks_for_it_once(house: House) -> None:
    for number in range(1, 11):
        house.brings(number)
    house.room.step()
    waits = house.wishes(11)
    house.world.downloads.queue.claim_together(house.world.clock.now(), at_most=1)

    assert house.room.make_room(house.now(11))
    assert house.room.held_back() == {waits.id}

    house.world.downloads.queue.recover()
    house.room.step()

    assert house.room.held_back() == set()
    assert house.states(1) == ["removed"]


def test_what_one_plan_after_another_lets_in_in_vain_is_the_device_s_trouble(
    house: House,
) -> None:
    house.wishes(1)
    house.room.step()

    assert house.room.make_room(house.now(1))
    house.room.step()
    assert not house.room.make_room(house.now(1))


def test_what_another_one_was_quicker_than_waits_without_stopping_the_device(
    house: House,
) -> None:
    for number in range(1, 10):
        house.brings(number, "favourites")
    late = house.wishes(10)
    house.room.step()
    house.brings(11, "pin")
    assert late.id not in house.room.held_back()

    assert house.room.make_room(house.now(10))
    house.room.step()

    assert house.room.held_back() == {late.id}
    assert house.room.make_room(house.now(10))


def test_room_is_made_only_for_what_was_planned_not_for_what_was_just_claimed(
    house: House,
) -> None:
    for number in range(1, 11):
        house.brings(number, "latest")
    house.wishes(11, "queue_ahead")
    house.world.downloads.queue.claim_together(house.world.clock.now(), at_most=1)

    house.room.step()

    assert house.states(*range(1, 11)) == ["completed"] * 10


def test_what_is_coming_has_its_room(house: House) -> None:
    for number in range(1, 10):
        house.brings(number, "latest")
    house.wishes(11)
    house.world.downloads.queue.claim_together(house.world.clock.now(), at_most=1)
    device = house.registry.get(STICK)
    assert house.registry.reserve(device, house.now(11).id, remaining=BLOCK, size=BLOCK) is None
    waits = house.wishes(12, "queue_ahead")

    house.room.step()

    assert house.states(*range(1, 10)) == ["completed"] * 9
    assert house.room.held_back() == {waits.id}


def test_a_crash_between_the_file_and_its_row_is_no_persons_doing(house: House) -> None:
    house.brings(1)
    house.brings(2)
    rests = EvictionCooldowns(house.world.db, house.world.clock)
    rests.put(STICK, track(1).id, house.world.clock.now() + REST)
    verdicts = RemovalRecorder(
        house.world.db, house.world.downloads, house.world.holds, house.world.clock
    )
    gone = [(one, FileChange.GONE) for one in house.world.downloads.queries.files_on(STICK)]

    verdicts.removed(house.registry.get(STICK), gone)

    assert house.states(1, 2) == ["removed", "removed"]
    assert house.resting() == {track(1).id}
    assert Tombstones(house.world.db, house.world.clock).items(ANN, STICK) == {track(2).id}


def test_what_came_back_after_a_rest_and_is_deleted_is_a_persons_doing(house: House) -> None:
    rests = EvictionCooldowns(house.world.db, house.world.clock)
    rests.put(STICK, track(1).id, house.world.clock.now() + REST)
    house.world.clock.advance(3600)
    house.brings(1, "pin")
    verdicts = RemovalRecorder(
        house.world.db, house.world.downloads, house.world.holds, house.world.clock
    )

    verdicts.removed(
        house.registry.get(STICK),
        [(one, FileChange.GONE) for one in house.world.downloads.queries.files_on(STICK)],
    )

    assert Tombstones(house.world.db, house.world.clock).items(ANN, STICK) == {track(1).id}


def test_a_rule_leaves_what_was_evicted_alone_for_a_week(house: House) -> None:
    for number in range(1, 11):
        house.brings(number, "" if number == 4 else "favourites")
    house.wishes(11)
    house.room.step()

    assert house.wishes(4, "album_affinity").status is Status.REMOVED
    assert house.world.holds.of_item(STICK, track(4).id) == []
    house.world.clock.advance(REST.total_seconds())
    assert house.wishes(4, "album_affinity").status is Status.PENDING


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        ("budget", "Unpin something, or have the limit raised"),
        ("full", "Unpin something or delete other files there"),
    ],
)
def test_what_does_not_fit_says_what_can_be_done(code: str, way_out: str) -> None:
    refused = RefusedAdd(1, 10, "why", code, is_final=False)

    note = space_problem("Car stick", Plan(id="1", refusals=(refused,)))

    assert note is not None
    assert note.text.startswith("1 download doesn't fit on Car stick: ")
    assert note.text.endswith(way_out)


def test_a_plan_that_could_not_be_made_leaves_the_last_one_an_old_one(house: House) -> None:
    house.brings(1, "favourites")
    assert house.room.outlook(STICK).files == 1
    house.brings(2, "favourites")

    with broken(house.world.db), pytest.raises(peewee.OperationalError):
        house.room.outlook(STICK)

    assert house.room.outlook(STICK).files == 2


def test_a_plan_that_failed_is_made_again_within_seconds(house: House) -> None:
    house.brings(1, "favourites")
    with broken(house.world.db):
        house.room.step()
    assert house.room.last_plan(STICK) is None

    house.room.step()
    assert house.room.last_plan(STICK) is None, "not at once: it may fail again"
    house.world.clock.advance(6)
    house.room.step()

    made = house.room.last_plan(STICK)
    assert made is not None
    assert made.files == 1


def test_what_was_confirmed_still_is_after_a_plan_that_failed(house: House) -> None:
    for number in range(1, 10):
        house.brings(number)
    house.wishes(20, blocks=7)
    shown = house.room.plan(STICK)
    house.room.confirm(STICK, shown.id)
    with broken(house.world.db):
        house.room.step()
    assert house.states(*range(1, 10)) == ["completed"] * 9

    house.world.clock.advance(6)
    house.room.step()

    assert house.states(*range(1, 10)).count("removed") == len(shown.removals)
