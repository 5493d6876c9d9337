from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.undo import ItemOnDevice, Reversal
from sidecar.domain.wishes import PIN
from sidecar.errors import ServerAway
from sidecar.services.accounts.person import Person
from sidecar.services.devices.orders import DeviceOrders
from sidecar.services.downloads.commands import DownloadCommand, ResultKind
from sidecar.services.downloads.undo import LASTS_S, Reversing, UndoRecord, UndoService
from sidecar.store.rules.exclusions import Exclusions
from tests.services.conftest import STICK, World, access_to, track
from tests.services.rules.steered import Ann, Ben, Eve, House, house
from tests.services.rules.test_preferences import Seen


@dataclass
class Home:
    """Three people, one stick, and what takes back what they do."""

    house: House
    undoing: UndoService
    library: Seen
    exclusions: Exclusions
    woken: list[str] = field(default_factory=list)

    def do(self, person: Person, action: Action, *downloads: Download, **how: bool) -> UndoRecord:
        ids = [one.id for one in downloads]
        outcomes = self.house.actions.act_on(person, ids, DownloadCommand(action=action, **how))
        record = self.undoing.remember(person, action, outcomes)
        self.house.planning.release_expired()
        return record

    def pinned(self, person: Person, number: int) -> Download:
        item = track(number, size=len(self.house.works.engine.body))
        self.house.planning.pin(person.user_id, STICK, item, lambda _ids: {item.id: item})
        return self.house.works.now(number)

    def reasons(self, number: int) -> list[tuple[str, str]]:
        held = self.house.world.holds.of_item(STICK, track(number).id)
        return [(one.user_id, one.reason.rule) for one in held if one.release_at is None]


@pytest.fixture
def home(world: World, tmp_path: Path) -> Iterator[Home]:
    with house(world, tmp_path) as built:
        exclusions = Exclusions(world.db, world.clock)
        size = len(built.works.engine.body)
        library = Seen(
            known={one.id: one for one in (track(1, size=size), track(2, size=size))}, lists={}
        )
        woken: list[str] = []
        reversing = Reversing(
            stores=world.stores,
            access=access_to(world, built.works.registry.settings),
            planning=built.planning,
            actions=built.actions,
            library=lambda _user: library,
            wake=woken.append,
            restore_rules=lambda *_: 0,
            restore_marks=lambda _: 0,
            orders=DeviceOrders(
                world.stores.orders,
                built.works.registry,
                world.stores.processes,
                world.bus,
                world.clock,
            ),
        )
        yield Home(built, UndoService(reversing.reverse, world.clock), library, exclusions, woken)


def test_what_was_let_go_is_kept_again_for_the_same_reason(home: Home) -> None:
    one = home.pinned(Ann, 1)
    assert home.house.works.worker.step()

    done = home.do(Ann, Action.LET_GO, one)
    assert home.reasons(1) == []
    undone = home.undoing.undo(Ann, done.token)

    assert (done.total, done.can_undo) == (1, True)
    assert undone is not None
    assert (undone.is_undone, undone.can_undo) == (True, False)
    assert home.reasons(1) == [(Ann.user_id, PIN)]
    assert home.house.works.now(1).status is Status.COMPLETED


def test_what_was_cancelled_waits_in_the_queue_again(home: Home) -> None:
    rows = [home.pinned(Ann, 1), home.pinned(Ann, 2)]

    done = home.do(Ann, Action.CANCEL, *rows)
    assert home.house.world.downloads.queries.by_item(STICK, track(1).id) is None
    home.undoing.undo(Ann, done.token)

    assert [home.house.works.now(number).status for number in (1, 2)] == [Status.PENDING] * 2
    assert home.house.tombstones.items(Ann.user_id, STICK) == frozenset()


def test_who_gave_up_what_others_keep_gets_it_back(home: Home) -> None:
    one = home.house.arrived(Ann)
    home.house.hold(Ben)

    done = home.do(Ann, Action.DELETE, one)
    assert home.reasons(1) == [(Ben.user_id, "favourites")]
    home.undoing.undo(Ann, done.token)

    assert done.stayed == 1
    assert sorted(home.reasons(1)) == sorted(
        [(Ann.user_id, "favourites"), (Ben.user_id, "favourites")]
    )


def test_what_was_paused_goes_on_and_what_went_on_pauses(home: Home) -> None:
    one = home.house.hold(Ann)

    paused = home.do(Ann, Action.PAUSE, one)
    home.undoing.undo(Ann, paused.token)
    assert home.house.works.now(1).status is Status.PENDING

    home.do(Ann, Action.PAUSE, one)
    resumed = home.do(Ann, Action.RESUME, home.house.works.now(1))
    home.undoing.undo(Ann, resumed.token)
    assert home.house.works.now(1).status is Status.PAUSED


def test_a_file_that_is_gone_and_a_second_click_cannot_be_undone(home: Home) -> None:
    one = home.house.arrived(Ann)

    deleted = home.do(Ann, Action.DELETE, one)
    nothing = home.do(Ann, Action.DELETE, one)

    assert (deleted.counts, deleted.can_undo) == ({ResultKind.DONE: 1}, False)
    assert (nothing.total, nothing.can_undo) == (0, False)
    assert home.undoing.undo(Ann, deleted.token) is None


def test_it_is_undone_once_by_who_did_it_and_not_for_ever(home: Home) -> None:
    one = home.house.hold(Ann)
    first = home.do(Ann, Action.PAUSE, one)

    assert home.undoing.record(Ben, first.token) is None
    assert home.undoing.undo(Ben, first.token) is None
    assert home.undoing.undo(Ann, "guessed") is None
    assert home.undoing.undo(Ann, first.token) is not None
    assert home.undoing.undo(Ann, first.token) is None

    second = home.do(Ann, Action.PAUSE, one)
    home.house.world.clock.advance(LASTS_S + 1)
    assert home.undoing.record(Ann, second.token) is None
    assert home.undoing.undo(Ann, second.token) is None


def test_while_jellyfin_is_away_it_can_be_tried_again_later(home: Home) -> None:
    done = home.do(Ann, Action.CANCEL, home.pinned(Ann, 1))
    known, home.library.known = home.library.known, Away()

    with pytest.raises(ServerAway):
        home.undoing.undo(Ann, done.token)
    home.library.known = known
    assert home.undoing.undo(Ann, done.token) is not None

    assert home.house.works.now(1).status is Status.PENDING


def test_an_exclusion_is_lifted_and_its_holds_are_back(home: Home) -> None:
    one = home.house.hold(Ann)
    (hold,) = home.house.world.holds.of_item(STICK, one.item_id)
    home.house.world.holds.drop(STICK, one.item_id)
    home.exclusions.put(Ann.user_id, "favourites", one.item_id, device_id=STICK)
    place = ItemOnDevice(Ann.user_id, STICK, one.item_id)

    reversal = Reversal(holds=(hold,), exclusions=((place, "favourites"),))
    record = home.undoing.remember_one(Ann, "exclude", reversal, 1)
    home.undoing.undo(Ann, record.token)

    assert home.exclusions.of(Ann.user_id, STICK) == frozenset()
    assert home.reasons(1) == [(Ann.user_id, "favourites")]
    assert home.woken == [Ann.user_id]


def test_only_an_admin_takes_back_what_concerns_others(home: Home) -> None:
    one = home.house.hold(Ann)
    place = ItemOnDevice(Ann.user_id, STICK, one.item_id)
    reversal = Reversal(tombstones=(place,))

    by_ben = home.undoing.remember_one(Ben, "cancel", reversal, 1)
    by_eve = home.undoing.remember_one(Eve, "cancel", reversal, 1)

    assert home.undoing.undo(Ben, by_ben.token) is None
    assert home.undoing.undo(Eve, by_eve.token) is not None


class Away(dict):  # type: ignore[type-arg]  # of any kind
    """A library while the server is away."""

    def __contains__(self, _key: object) -> bool:
        raise ServerAway("Jellyfin is away")
