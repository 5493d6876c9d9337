from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
import xxhash

from sidecar.device.folder import DeviceFolder
from sidecar.device.own.marker import OURS
from sidecar.device.own.parts import PartFile
from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.downloads.shares import Share
from sidecar.domain.transfers.failures import FailureClass
from sidecar.domain.wishes import PIN, PIN_PRIORITY, Reason, Wish
from sidecar.errors import NotVisible, SignedOut
from sidecar.events import DownloadChanged
from sidecar.events import Event as WorldEvent
from sidecar.services.accounts.person import Person
from sidecar.services.downloads import commands
from sidecar.services.downloads.commands import (
    ActionResult,
    AddedItem,
    AddResult,
    DownloadCommand,
    ResultKind,
    Selection,
)
from sidecar.store.downloads.order import NotNow
from sidecar.store.downloads.transitions import WholeFile
from tests.fakes.servers.answering import Reply, json_reply
from tests.patience import PATIENCE_S
from tests.services.conftest import STICK, World, track
from tests.services.rules.steered import Ann, Ben, Eve, House, house, library, row

PAUSE, RESUME = DownloadCommand(action=Action.PAUSE), DownloadCommand(action=Action.RESUME)
RETRY, CANCEL = DownloadCommand(action=Action.RETRY), DownloadCommand(action=Action.CANCEL)
DELETE, TOP = DownloadCommand(action=Action.DELETE), DownloadCommand(action=Action.TOP)
LET_GO = DownloadCommand(action=Action.LET_GO)
ALBUM = "a1b0" * 8


def has(home: House, *rows: Mapping[str, object]) -> None:
    """Let Jellyfin have these items."""
    home.server.routes["GET /Items"] = library(*rows)
    for one in rows:
        home.server.routes[f"GET /Items/{one['Id']}"] = json_reply(one)


@pytest.fixture
def home(world: World, tmp_path: Path) -> Iterator[House]:
    with house(world, tmp_path) as built:
        yield built


def status(home: House, number: int = 1) -> Status:
    return home.works.now(number).status


# -- the queue


def test_what_waits_is_paused_and_goes_on_when_told(home: House) -> None:
    one = home.hold(Ann)

    assert home.do(Ann, one, PAUSE).result is ResultKind.DONE
    assert not home.works.worker.step()
    assert home.do(Ann, one, RESUME).result is ResultKind.DONE
    assert home.works.worker.step()

    assert status(home) is Status.COMPLETED


def test_a_second_click_changes_nothing_and_is_no_mistake(home: House) -> None:
    one = home.hold(Ann)
    home.do(Ann, one, PAUSE)
    home.world.news.clear()

    assert home.do(Ann, one, PAUSE).result is ResultKind.UNCHANGED
    assert home.world.news == []


def test_what_runs_is_stopped_while_it_runs_and_its_row_is_right(home: House) -> None:
    one = home.hold(Ann)
    home.works.engine.meanwhile = lambda _job: home.do(Ann, one, PAUSE)

    assert home.works.worker.step()

    assert status(home) is Status.PAUSED
    assert home.works.claims.busy() == []


@pytest.mark.parametrize("order", [PAUSE, CANCEL, DELETE])
def test_the_worker_is_asked_to_stop_at_once(home: House, order: DownloadCommand) -> None:
    one = home.hold(Ann)
    asked: list[bool] = []

    def meanwhile(_job: object) -> None:
        home.do(Ann, one, order)
        # Of one that runs it is the event that its worker looks at after each block.
        asked.append(home.works.claims.begin(one.id, STICK).is_set())

    home.works.engine.meanwhile = meanwhile
    home.works.worker.step()

    assert asked == [True]


def test_what_is_paused_and_resumed_at_once_is_not_fetched_twice_at_a_time(home: House) -> None:
    one = home.hold(Ann)
    stepped: list[bool] = []

    def meanwhile(_job: object) -> None:
        home.works.engine.meanwhile = lambda _job: None
        home.do(Ann, one, PAUSE)
        home.do(Ann, one, RESUME)
        stepped.append(home.works.worker.step())

    home.works.engine.meanwhile = meanwhile
    home.works.worker.step()

    assert stepped == [False]
    assert home.works.worker.step()
    assert status(home) is Status.COMPLETED


def test_what_is_being_finished_is_not_paused_and_the_sentence_says_so(home: House) -> None:
    home.hold(Ann)
    (running,) = home.world.downloads.queue.claim_together(home.world.clock.now(), at_most=1)
    home.world.downloads.transitions.mark_all_finalizing(
        [(running.id, WholeFile(5, "0" * 32, None), {})]
    )

    outcomes = [home.do(Ann, running, order) for order in (PAUSE, CANCEL, DELETE)]

    assert {one.code for one in outcomes} == {"finishing"}
    assert home.holders() == [Ann.user_id]


@pytest.mark.parametrize("name", ["final", "part", "theirs"])
def test_what_was_being_finished_on_a_stick_that_is_away_is_cancelled_and_goes_when_it_is_back(
    home: House, name: str
) -> None:
    home.hold(Ann)
    (running,) = home.world.downloads.queue.claim_together(home.world.clock.now(), at_most=1)
    body, theirs = b"sound", b"voice"
    home.world.downloads.transitions.mark_all_finalizing(
        [(running.id, WholeFile(5, xxhash.xxh3_128_hexdigest(body), None), {})]
    )
    stick, away = home.works.stick, home.works.stick.with_name("away")
    place = stick / running.file_path
    place.parent.mkdir(parents=True)
    if name == "part":
        home.works.registry.get(STICK).folder.part(running.id).path.write_bytes(body)
    else:
        place.write_bytes(body if name == "final" else theirs)
    stick.rename(away)
    home.works.registry.look(settle=lambda _device: None)

    [done] = [home.do(Ann, running, CANCEL)]

    assert done.result is ResultKind.DONE
    assert home.holders() == []
    assert home.works.now(running.id).status is Status.REMOVED
    away.rename(stick)
    left = home.world.downloads.queue.recover()
    home.works.registry.look(settle=lambda device: home.works.settling.reconcile(device, left))
    assert home.works.now(running.id).status is Status.REMOVED
    assert not home.works.now(running.id).finalizing
    assert place.exists() == (name == "theirs")
    assert home.works.registry.get(STICK).folder.parts() == []


def test_who_cancels_what_was_being_finished_and_who_claims_do_not_wait_for_each_other(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.hold(Ann)
    (running,) = home.world.downloads.queue.claim_together(home.world.clock.now(), at_most=1)
    home.world.downloads.transitions.mark_all_finalizing(
        [(running.id, WholeFile(5, "0" * 32, None), {})]
    )
    claims, outcomes, is_claiming = home.works.claims, [], Event()

    def claim(_busy: object) -> Sequence[Download]:
        is_claiming.set()
        with home.world.db.thread(), home.world.db.write():
            return ()

    def away() -> Sequence[str]:
        """Let a worker claim, which waits for the database."""
        claiming.start()
        is_claiming.wait(PATIENCE_S)
        return ()

    def cancel() -> None:
        with home.world.db.thread():
            outcomes.append(home.do(Ann, running, CANCEL))

    claiming = Thread(target=claims.take_next, args=(claim,), daemon=True)
    cancelling = Thread(target=cancel, daemon=True)
    monkeypatch.setattr(home.works.registry, "ids_there", away)
    cancelling.start()
    for one in (cancelling, claiming):
        one.join(PATIENCE_S)
        assert not one.is_alive()

    assert outcomes[0].result is ResultKind.DONE


def test_a_failed_one_is_tried_again_from_its_part_or_from_zero(home: House) -> None:
    one = home.hold(Ann)
    for from_zero in (False, True):
        home.works.fail(FailureClass.REFUSED)
        home.works.worker.step()
        assert status(home) is Status.FAILED

        home.do(Ann, one, replace(RETRY, from_zero=from_zero))

        assert status(home) is Status.PENDING
        assert home.works.now().error_code is None
    assert home.works.now().bytes_downloaded == 0


def test_in_a_cooldown_only_an_admin_retries_and_everybody_hears_the_time(home: House) -> None:
    one = home.hold(Ann)
    home.works.fail(FailureClass.TRANSIENT)
    home.works.worker.step()
    until = home.works.now().retry_next_at

    refused = home.do(Ann, one, replace(RETRY, force=True))

    assert (refused.result, refused.code, refused.until) == (
        ResultKind.REFUSED,
        "cooling-down",
        until,
    )
    assert until == home.world.clock.now() + timedelta(seconds=5)
    assert home.do(Eve, one, RETRY).result is ResultKind.REFUSED
    assert home.do(Eve, one, replace(RETRY, force=True)).result is ResultKind.DONE
    assert home.works.worker.step()


def test_one_goes_to_the_top_and_another_before_it(home: House) -> None:
    rows = [home.hold(Ann, number) for number in (1, 2, 3)]

    home.do(Ann, rows[2], TOP)
    home.do(Ann, rows[1], DownloadCommand(action=Action.MOVE, before=rows[2].id))
    home.do(Ann, rows[0], DownloadCommand(action=Action.PRIORITISE, priority=3))

    assert list(home.world.downloads.queries.positions([one.id for one in rows]).items()) == [
        (rows[0].id, 1),
        (rows[1].id, 2),
        (rows[2].id, 3),
    ]


def test_one_that_goes_to_the_top_comes_before_what_was_claimed_ahead(home: House) -> None:
    rows = [home.hold(Ann, number) for number in range(1, 5)]

    def take() -> int:
        taken = home.works.claims.take_next(
            lambda busy: home.world.downloads.queue.claim_together(
                home.world.clock.now(), NotNow(downloads=busy), at_most=3
            )
        )
        assert taken is not None
        return taken[0].id

    assert take() == rows[0].id

    home.do(Ann, rows[3], TOP)

    assert [take() for _ in range(3)] == [rows[3].id, rows[1].id, rows[2].id]


def test_nothing_is_moved_before_what_one_may_not_see(home: House) -> None:
    mine, foreign = home.hold(Ann, 1), home.hold(Ben, 2)

    outcomes = [
        home.do(Ann, mine, DownloadCommand(action=Action.MOVE, before=before))
        for before in (foreign.id, 999)
    ]

    assert outcomes[0] == outcomes[1]
    assert outcomes[0].code == "no-such-place"


# -- whose it is


ALL_ORDERS = [DownloadCommand(action=action, before=1) for action in Action]


@pytest.mark.parametrize("order", ALL_ORDERS)
def test_what_belongs_to_somebody_else_is_answered_like_what_never_was(
    home: House, order: DownloadCommand
) -> None:
    foreign = home.hold(Ben)

    for one in (foreign.id, 999):
        with pytest.raises(NotVisible):
            home.actions.act(Ann, one, order)
    first, second = home.actions.act_on(Ann, [foreign.id, 999], order)
    assert replace(first, download_id=0) == replace(second, download_id=0)
    assert first.result is ResultKind.NOT_FOUND
    assert home.works.now() == foreign


@pytest.mark.parametrize("order", [CANCEL, DELETE])
def test_what_others_want_too_stays_for_them(home: House, order: DownloadCommand) -> None:
    one = home.hold(Ann)
    home.hold(Ben)

    outcome = home.do(Ann, one, order)

    assert outcome.result is ResultKind.KEPT
    assert "another user needs it too" in outcome.text
    assert home.holders() == [Ben.user_id]
    assert home.works.now().user_id == Ben.user_id, "ann's token fetches it no longer"
    with pytest.raises(NotVisible):
        home.actions.act(Ann, one.id, order)


def test_a_file_that_others_want_too_stays_for_them(home: House) -> None:
    one = home.arrived(Ann)
    home.hold(Ben)

    assert home.do(Ann, one, DELETE).result is ResultKind.KEPT

    assert home.path(one).exists()
    assert home.tombstones.items(Ann.user_id, STICK) == {one.item_id}
    assert home.do(Ben, one, DELETE).result is ResultKind.DONE
    assert not home.path(one).exists()


def test_an_admin_acts_for_those_who_hold_it_but_not_twice_by_a_double_click(home: House) -> None:
    home.hold(Ann, 1)
    assert home.do(Eve, home.works.now(1), CANCEL).result is ResultKind.DONE
    assert home.tombstones.items(Ann.user_id, STICK) == {track(1).id}

    home.hold(Ann, 2)
    shared = home.hold(Eve, 2)
    assert home.do(Eve, shared, CANCEL).result is ResultKind.KEPT
    assert home.do(Eve, shared, CANCEL).result is ResultKind.KEPT
    assert home.holders(2) == [Ann.user_id]
    assert home.do(Eve, shared, replace(CANCEL, for_everyone=True)).result is ResultKind.DONE
    assert home.world.downloads.queries.get(shared.id) is None


# -- the end of it


def test_what_is_cancelled_leaves_nothing_and_no_rule_brings_it_back(home: House) -> None:
    one = home.hold(Ann)

    assert home.do(Ann, one, CANCEL).result is ResultKind.DONE

    assert home.world.downloads.queries.get(one.id) is None
    assert home.holders() == []
    item, reason = track(1), Reason("favourites", track(1).id, "your favourite")
    again = Wish(Ann.user_id, STICK, item, reason)
    assert home.planning.hold([again], lambda _ids: {item.id: item}) == 0
    assert home.holders() == []


def test_what_runs_is_cancelled_and_its_part_file_goes_when_the_worker_lets_go(home: House) -> None:
    one = home.hold(Ann)

    def meanwhile(_job: object) -> None:
        home.works.registry.get(STICK).folder.part(one.id).open().close()
        home.do(Ann, one, CANCEL)
        assert home.parts() == [f"{one.id}.part"], "never taken from under a worker"

    home.works.engine.meanwhile = meanwhile
    home.works.worker.step()

    assert home.parts() == []
    assert home.world.downloads.queries.get(one.id) is None


def test_a_part_that_is_kept_outlives_a_new_start_and_is_gone_on_with(home: House) -> None:
    one = home.hold(Ann)
    home.works.engine.meanwhile = lambda _job: home.do(Ann, one, PAUSE)
    home.works.worker.step()
    part = home.works.registry.get(STICK).folder.part(one.id)
    with part.open() as file:
        file.write(b"sou")
    # As if these bytes had been synced before the pause.
    with home.world.db.write():
        home.world.db.sql(
            "UPDATE downloads SET bytes_downloaded = 3, validator = '[null, 9]' WHERE id = ?",
            (one.id,),
        )
    home.do(Ann, one, replace(CANCEL, keep_part=True))
    home.works.settling.reconcile(home.works.registry.get(STICK), [])
    assert home.parts() == [part.name]

    has(home, row(1))
    home.actions.add(Ann, [track(1).id])

    again = home.works.now()
    assert (again.id, again.bytes_downloaded) == (one.id, 3)


def test_a_part_that_is_kept_while_its_device_is_swept_stays(home: House) -> None:
    one = home.hold(Ann)
    home.works.engine.meanwhile = lambda _job: home.do(Ann, one, PAUSE)
    home.works.worker.step()
    device = home.works.registry.get(STICK)
    part = device.folder.part(one.id)
    part.open().close()
    with home.world.db.write():
        home.world.db.sql(
            "UPDATE downloads SET bytes_downloaded = 3, validator = '[null, 9]' WHERE id = ?",
            (one.id,),
        )
    listed: list[list[PartFile]] = []

    class CancelledMeanwhile(DeviceFolder):
        def parts(self) -> list[PartFile]:
            found = super().parts()
            listed.append(found)
            if len(listed) == 2:  # Listed first for copies with completed tags, then to be swept.
                home.do(Ann, one, replace(CANCEL, keep_part=True))
            return found

    home.works.registry.close()
    folder = CancelledMeanwhile(device.folder.root, STICK, name="Car stick")
    folder.attach()
    try:
        home.works.settling.reconcile(replace(device, folder=folder), [])
    finally:
        folder.close()

    assert home.world.downloads.queries.get(one.id) is None
    assert home.parts() == [part.name]


def test_a_file_is_deleted_and_its_row_says_so(home: House) -> None:
    one = home.arrived(Ann)

    assert home.do(Ann, one, DELETE).result is ResultKind.DONE

    assert not home.path(one).exists()
    assert status(home) is Status.REMOVED
    assert home.holders() == []
    assert home.tombstones.items(Ann.user_id, STICK) == {one.item_id}
    assert home.do(Ann, one, DELETE).result is ResultKind.UNCHANGED


@pytest.mark.parametrize("is_as_large", [False, True])
def test_a_file_that_is_not_ours_any_more_stays(home: House, is_as_large: bool) -> None:
    one = home.arrived(Ann)
    theirs = b"*" * home.path(one).stat().st_size if is_as_large else b"somebody's own recording"
    home.path(one).write_bytes(theirs)

    outcome = home.do(Ann, one, DELETE)

    assert "so it stays" in outcome.text
    assert home.path(one).read_bytes() == theirs
    assert status(home) is Status.REMOVED


def test_nothing_is_deleted_from_a_device_that_is_not_there(home: House) -> None:
    one = home.arrived(Ann)
    (home.works.stick / OURS).rename(home.works.stick / "away")

    outcome = home.do(Ann, one, DELETE)

    assert outcome.result is ResultKind.REFUSED
    assert outcome.code == "no-marker"
    assert home.path(one).exists()
    assert home.holders() == [Ann.user_id]
    assert status(home) is Status.COMPLETED


def test_what_was_deleted_comes_back_when_its_owner_retries_it(home: House) -> None:
    one = home.arrived(Ann)
    home.do(Ann, one, DELETE)

    assert home.do(Ann, one, RETRY).result is ResultKind.DONE

    assert home.works.worker.step()
    assert home.path(one).exists()
    assert home.tombstones.items(Ann.user_id, STICK) == frozenset()
    assert [hold.reason.rule for hold in home.world.holds.of_item(STICK, one.item_id)] == [PIN]


def test_letting_go_of_a_file_ends_the_own_request_and_leaves_the_file(home: House) -> None:
    has(home, row(1))
    home.actions.add(Ann, [track(1).id])
    home.works.worker.step()
    one = home.works.now()

    assert home.do(Ann, one, LET_GO).result is ResultKind.DONE
    home.planning.release_expired()

    assert home.path(one).exists()
    assert home.holders() == []
    assert home.do(Ann, one, LET_GO).result is ResultKind.UNCHANGED
    assert home.tombstones.items(Ann.user_id, STICK) == frozenset()


# -- many at once


def test_all_that_fit_are_paused_and_resumed_and_only_ones_own(home: House) -> None:
    for number in range(1, 4):
        home.hold(Ann, number)
    home.hold(Ben, 4)

    paused = home.actions.act_on_all(Ann, Selection(), PAUSE)

    assert [one.result for one in paused] == [ResultKind.DONE] * 3
    assert status(home, 4) is Status.PENDING
    assert len(home.actions.act_on_all(Eve, Selection(owners=("ANN",)), RESUME)) == 3
    assert home.actions.act_on_all(Eve, Selection(owners=("nobody",)), PAUSE) == []
    assert len(home.actions.act_on_all(Eve, Selection(owners=("ann", "ben")), PAUSE)) == 4


def test_who_else_wants_the_same_is_not_found_out_by_acting_on_their_downloads(
    home: House,
) -> None:
    for person, number in ((Ann, 1), (Ben, 1), (Ann, 2), (Ben, 3)):
        home.hold(person, number)

    def fitting(*owners: str) -> Sequence[int]:
        return home.actions.fitting(Ann, Selection(owners=owners), Action.PAUSE)

    assert len(fitting()) == 2
    assert fitting("ben") == fitting(Ben.user_id) == fitting("nobody") == []
    assert fitting("ann", "ben") == fitting("ann") == fitting()


def test_each_of_many_has_its_own_result(home: House) -> None:
    mine, foreign = home.hold(Ann, 1), home.hold(Ben, 2)
    there = home.arrived(Ann, 3)

    outcomes = home.actions.act_on(Ann, [mine.id, foreign.id, mine.id, there.id, 999], CANCEL)

    assert [one.download_id for one in outcomes] == [mine.id, foreign.id, there.id, 999]
    assert {one.result for one in outcomes} >= {ResultKind.NOT_FOUND}


@pytest.mark.parametrize("order", [PAUSE, CANCEL], ids=["paused", "cancelled"])
def test_many_are_changed_in_steps_between_which_others_write(
    home: House, world: World, monkeypatch: pytest.MonkeyPatch, order: DownloadCommand
) -> None:
    monkeypatch.setattr(commands, "CHANGED_AT_ONCE", 2)
    waiting = [home.hold(Ann, number) for number in range(1, 6)]
    still_waiting: list[int] = []

    def hear(event: WorldEvent) -> None:
        """As soon as the first is changed for all, the others are not yet."""
        if isinstance(event, DownloadChanged) and not still_waiting:
            left = [world.downloads.queries.get(one.id) for one in waiting]
            still_waiting.append(sum(one == was for one, was in zip(left, waiting, strict=True)))

    world.bus.subscribe(hear)
    outcomes = home.actions.act_on(Ann, [one.id for one in waiting], order)

    assert still_waiting == [3]
    assert {one.result for one in outcomes} == {ResultKind.DONE}
    assert {
        one.status for one in map(world.downloads.queries.get, (w.id for w in waiting)) if one
    } <= {Status.PAUSED}


def test_failed_ones_are_retried_together_and_those_that_cool_down_are_told(home: House) -> None:
    home.works.fail(FailureClass.REFUSED)
    home.arrived(Ann, 1)
    home.works.fail(FailureClass.BLOCKED)
    home.arrived(Ann, 2)

    outcomes = home.actions.act_on_all(Ann, Selection(), RETRY)

    assert [one.result for one in outcomes] == [ResultKind.DONE, ResultKind.REFUSED]
    assert outcomes[1].until is not None


# -- asking for items


def add(home: House, *ids: str, person: Person = Ann, **how: object) -> list[AddedItem]:
    return list(home.actions.add(person, ids, **how))  # type: ignore[arg-type]


def test_an_item_is_pinned_and_queued_and_the_second_time_returned(home: House) -> None:
    has(home, row(1))

    (first,), (second,) = add(home, track(1).id), add(home, track(1).id)

    assert (first.result, second.result) == (AddResult.QUEUED, AddResult.EXISTS)
    assert first.downloads == second.downloads
    assert [one.position for one in second.downloads] == [1]
    assert home.works.now().priority == PIN_PRIORITY
    assert [hold.reason.rule for hold in home.world.holds.of_item(STICK, track(1).id)] == [PIN]


def test_an_album_becomes_its_tracks(home: House) -> None:
    album = {"Id": ALBUM, "Type": "MusicAlbum", "Name": "First Light"}
    rows = [row(number, ParentId=ALBUM) for number in (1, 2, 3)]
    has(home, album, *rows)

    (asked,) = add(home, ALBUM, priority=70)

    assert asked.text == "First Light: 3 of 3 files are queued"
    assert [one.position for one in asked.downloads] == [1, 2, 3]
    assert home.works.now(2).priority == 70


def test_what_jellyfin_hides_is_unknown_and_the_rest_is_queued(home: House) -> None:
    has(home, row(1))
    home.server.routes[f"GET /Items/{track(9).id}"] = json_reply({"status": 404}, 404)

    asked = add(home, track(9).id, track(1).id, track(1).id)

    assert [one.result for one in asked] == [AddResult.NOT_FOUND, AddResult.QUEUED]


def test_what_cannot_be_fetched_is_refused_with_a_sentence(home: House) -> None:
    somebody = {"Id": ALBUM, "Type": "Person", "Name": "Somebody"}
    has(home, somebody)

    (asked,) = add(home, ALBUM)

    assert (asked.result, asked.code) == (AddResult.REFUSED, "not-playable")


@pytest.mark.parametrize(("device", "expected"), [(STICK, True), ("Car stick", True), ("x", False)])
def test_a_device_is_named_by_name_or_id(home: House, device: str, expected: bool) -> None:
    has(home, row(1))

    (asked,) = add(home, track(1).id, device=device)

    assert (asked.result is AddResult.QUEUED) is expected
    assert asked.code == (None if expected else "no-device")


def test_who_is_signed_out_is_told(home: House) -> None:
    home.server.routes[f"GET /Items/{track(1).id}"] = Reply(401)
    home.server.routes["GET /Users/Me"] = json_reply({}, 401)

    with pytest.raises(SignedOut):
        add(home, track(1).id, person=Person("f" * 32, "fay", is_admin=False))


def test_what_was_removed_comes_back_because_a_person_asks(home: House) -> None:
    one = home.arrived(Ann)
    home.do(Ann, one, DELETE)
    has(home, row(1))

    (asked,) = add(home, track(1).id)

    assert [ref.status for ref in asked.downloads] == [Status.PENDING]


# -- many hands


def at_once(home: House, count: int, act: object) -> list[object]:
    """Run the same thing in many threads that all start together."""
    barrier, results = Barrier(count), []

    def run() -> None:
        with home.world.db.thread():
            barrier.wait(PATIENCE_S)
            results.append(act())  # type: ignore[operator]

    threads = [Thread(target=run) for _ in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE_S)
        assert not one.is_alive()
    return results


def test_fifty_clicks_at_once_queue_one_row(home: House) -> None:
    has(home, row(1))

    found = at_once(home, 50, lambda: add(home, track(1).id)[0])

    results = [one.result for one in found if isinstance(one, AddedItem)]
    assert (results.count(AddResult.QUEUED), results.count(AddResult.EXISTS)) == (1, 49)
    assert home.world.downloads.queries.positions([1, 2, 3]) == {1: 1}


@pytest.mark.parametrize("order", [PAUSE, CANCEL, DELETE])
def test_fifty_clicks_at_once_are_one_move(home: House, order: DownloadCommand) -> None:
    one: Download = home.arrived(Ann) if order is DELETE else home.hold(Ann)

    found = at_once(home, 50, lambda: home.actions.act_on(Ann, [one.id], order)[0])

    results = [one.result for one in found if isinstance(one, ActionResult)]
    assert results.count(ResultKind.DONE) == 1
    assert len(results) == 50
    assert set(results) <= {ResultKind.DONE, ResultKind.UNCHANGED, ResultKind.NOT_FOUND}


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.permutations([PAUSE, RESUME, CANCEL, RETRY], 2))
)
def test_any_two_actions_after_one_another_end_in_a_state_of_the_table(
    home: House, first: DownloadCommand, second: DownloadCommand
) -> None:
    one = home.hold(Ann)
    home.works.engine.meanwhile = lambda _job: [
        home.actions.act_on(Ann, [one.id], order) for order in (first, second)
    ]

    home.works.worker.step()

    there = home.world.downloads.queries.get(one.id)
    assert there is None or there.status is not Status.DOWNLOADING
    assert (there is None) == (CANCEL in {first, second})


def test_whose_files_are_meant_is_counted_as_far_as_one_may_know(home: House) -> None:
    rows = [home.hold(Ann, 1), home.hold(Ben, 2), home.hold(Ann, 3)]
    home.hold(Ben, 3)
    ids = [one.id for one in rows]

    assert home.actions.shares(Ann, ids) == Share(total=3, yours=1, shared=1, hidden=1)
    assert home.actions.shares(Eve, ids) == Share(total=3, others=(("ann", 2), ("ben", 2)))
    home.world.holds.drop(STICK, track(1).id)
    assert home.actions.shares(Ann, ids[:1]) == Share(total=1, yours=1)
