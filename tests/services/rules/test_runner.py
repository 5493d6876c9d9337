from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest

from sidecar.clock import SystemClock
from sidecar.config.rules import ALL_RULES
from sidecar.domain.items.item import Item
from sidecar.domain.items.selection import Selection
from sidecar.domain.rules import album_affinity, latest, next_up, playlists, queue_ahead, selections
from sidecar.domain.rules.context import Chosen, ComputedRule, Context, Wake, Wanted
from sidecar.domain.rules.library import ListedItems
from sidecar.domain.rules.registry import COMPUTED_RULES
from sidecar.errors import JellyfinError, ServerAway, SignedOut, UnexpectedAnswer
from sidecar.process.threads import LOOK_ANYWAY_S
from sidecar.services.accounts import following
from sidecar.services.accounts.following import IDLE_S
from sidecar.services.health.tasks import TaskRun, Tasks
from sidecar.services.playback.client_messages.acts import Acts
from sidecar.services.rules.fill.choices import FillChoices
from sidecar.services.rules.followed_account import FollowedAccount
from sidecar.services.rules.now_playing import GAP_S
from sidecar.services.rules.runner import (
    HOUR_S,
    LIBRARY_REST_S,
    RETRY_S,
    SETTLE_S,
    RuleRunner,
)
from sidecar.services.rules.selections.questions import SelectionQuestions
from sidecar.services.rules.settings.settings import RuleSettingsService
from sidecar.services.rules.wishes import WishService
from sidecar.store.devices.devices import Device
from sidecar.store.rules.playlists import ChosenPlaylists
from sidecar.store.rules.selections import SavedSelection
from sidecar.store.rules.settings import RuleSettingsStore
from tests.fakes.libraries.rule_library import RuleLibrary, full, plays, song
from tests.patience import PATIENCE_S
from tests.services.conftest import ANN, STICK, World

CARD = "22222222-2222-4222-8222-222222222222"
BEN = "b" * 32
SONGS = [song(str(number), size=1000, extension="flac", can_download=True) for number in range(9)]
ALBUM = SONGS[0].album_id or ""
ROAD = Chosen(playlist_id="9" * 32, title="Road trip")


@dataclass
class Remembering(RuleLibrary):
    """A `RuleLibrary` that can be away, and counts how often it was told to forget.

    Unlike the real one it has nothing to forget.
    """

    trouble: JellyfinError | None = None
    forgot: int = 0
    forgot_listening: int = 0

    def album_tracks(self, album_id: str) -> Any:  # noqa: ANN401 - as in `RuleLibrary`
        if self.trouble is not None:
            raise self.trouble
        return super().album_tracks(album_id)

    playlist_items = album_tracks

    def forget(self) -> None:
        self.forgot += 1

    def forget_listening(self) -> None:
        self.forgot_listening += 1

    def items(self, ids: Collection[str]) -> Mapping[str, Item]:
        if self.trouble is not None:
            raise self.trouble
        return super().items(ids)


@dataclass
class House:
    """The rules of ann with a real store, a library of values and a clock that is told."""

    world: World
    library: Remembering
    planning: WishService
    book: RuleSettingsService
    chosen: ChosenPlaylists
    devices: list[str] = field(default_factory=lambda: [STICK])
    told: list[JellyfinError] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    is_there: bool = True
    looks: int = 0

    def __post_init__(self) -> None:
        self.tasks = Tasks(self.world.clock)

    @property
    def task(self) -> TaskRun:
        [found] = self.tasks.all()
        return found.run

    def look(self) -> bool:
        self.looks += 1
        return self.is_there

    def tell(self, trouble: JellyfinError) -> None:
        self.told.append(trouble)
        self.is_there = not isinstance(trouble, ServerAway)

    def runner(
        self, *rules: ComputedRule[Any], asking: SelectionQuestions | None = None
    ) -> RuleRunner:
        return RuleRunner(
            FollowedAccount(
                user_id=ANN,
                name="ann",
                devices=lambda name: self.devices if name == "ann" else [],
                tell=self.tell,
                is_server_there=self.look,
            ),
            self.library,
            stores=self.world.stores,
            planning=self.planning,
            book=self.book,
            clock=self.world.clock,
            acts=Acts(self.world.clock),
            choices=FillChoices(),
            asking=asking or SelectionQuestions(self.world.stores.selections, self.world.bus),
            tasks=self.tasks,
            rules=rules or COMPUTED_RULES,
        )

    def watched(self, rule: ComputedRule[Any]) -> ComputedRule[Any]:
        """Return the rule, with its runs noted."""

        def wishes(context: Context[Any]) -> Wanted:
            self.ran.append(rule.name)
            wanted: Wanted = rule.wishes(context)
            return wanted

        return replace(rule, wishes=wishes)

    def watched_all(self) -> list[ComputedRule[Any]]:
        for rule in COMPUTED_RULES:
            self.book.change(rule, STICK, {"enabled": True})
        return [self.watched(rule) for rule in COMPUTED_RULES]

    def taken(self) -> list[str]:
        """Return what ran since this was asked last."""
        ran, self.ran = self.ran, []
        return ran

    def held(self, rule: str, device_id: str = STICK) -> list[str]:
        now = self.world.clock.now()
        return [
            one.item_id
            for one in self.world.holds.of_rule(ANN, device_id, rule)
            if one.release_at is None or one.release_at > now
        ]

    def waiting(self) -> list[str]:
        found = [self.world.downloads.queries.by_item(STICK, one.id) for one in SONGS]
        return [one.title for one in found if one is not None]


@pytest.fixture
def house(world: World) -> House:
    library = Remembering(
        known={one.id: one for one in SONGS},
        lists={ALBUM: full(*SONGS), ROAD.playlist_id: full(*SONGS[:3])},
    )
    return House(
        world,
        library,
        WishService(world.db, world.holds, world.downloads, world.clock),
        RuleSettingsService(ALL_RULES, RuleSettingsStore(world.db)),
        ChosenPlaylists(world.db),
    )


def hear(house: House, count: int = 3) -> None:
    house.library.heard = {ALBUM: frozenset(one.id for one in SONGS[:count])}


def test_at_the_start_every_rule_runs_once_the_most_urgent_first(house: House) -> None:
    runner = house.runner(*house.watched_all())
    runner.plays([])

    runner.step()
    runner.step()

    assert house.taken() == [rule.name for rule in COMPUTED_RULES]


@pytest.mark.parametrize("why", [Wake.PLAY_ENDED, Wake.PLAYBACK, Wake.HOUR])
def test_what_happens_wakes_the_rules_whose_mind_it_may_change(house: House, why: Wake) -> None:
    runner = house.runner(*house.watched_all())
    runner.plays([])
    runner.step()
    house.taken()

    runner.wake(why)
    runner.step()

    assert house.taken() == [rule.name for rule in COMPUTED_RULES if why in rule.wakes_on]


def test_a_fresh_choice_wakes_every_rule(house: House) -> None:
    runner = house.runner(*house.watched_all())
    runner.plays([])
    runner.step()
    house.taken()

    runner.look_through_soon()
    runner.step()

    assert sorted(house.taken()) == sorted(rule.name for rule in COMPUTED_RULES)


def test_a_hundred_wakes_are_one_run(house: House) -> None:
    runner = house.runner(house.watched(album_affinity.RULE))
    runner.step()
    house.taken()

    for _ in range(100):
        runner.wake(Wake.PLAY_ENDED)
    runner.step()

    assert house.taken() == [album_affinity.NAME]
    assert house.library.forgot_listening == 100


def test_a_scan_is_looked_at_when_it_has_settled_and_then_only_now_and_again(house: House) -> None:
    clock = house.world.clock
    clock.advance(LIBRARY_REST_S)
    runner = house.runner(house.watched(album_affinity.RULE))
    runner.step()
    clock.advance(LIBRARY_REST_S)
    house.taken()

    for _ in range(20):
        runner.wake(Wake.LIBRARY)
        runner.step()
        clock.advance(1.0)

    assert house.library.forgot == 20
    assert len(house.taken()) == 2
    clock.advance(LIBRARY_REST_S + SETTLE_S)
    runner.step()
    assert house.taken() == [album_affinity.NAME]


def test_the_task_tells_of_the_hourly_run_and_not_of_every_other(house: House) -> None:
    clock, began_at = house.world.clock, house.world.clock.now()
    runner = house.runner(*house.watched_all())
    runner.step()
    assert house.task.began_at == began_at
    house.taken()

    clock.advance(HOUR_S / 2)
    runner.wake(Wake.PLAY_ENDED)
    runner.step()

    assert house.taken() != []
    assert house.task.began_at == began_at
    assert house.task.next_at == began_at + timedelta(seconds=HOUR_S)
    runner.run_soon()
    runner.step()
    assert house.task.began_at == clock.now()
    assert house.task.next_at == clock.now() + timedelta(seconds=HOUR_S)


def test_what_nobody_wakes_runs_every_hour(house: House) -> None:
    runner = house.runner(house.watched(album_affinity.RULE))
    runner.step()
    assert runner.rest_s() == LOOK_ANYWAY_S

    house.world.clock.advance(HOUR_S - 1)
    runner.step()
    assert len(house.taken()) == 1

    house.world.clock.advance(1)
    assert runner.rest_s() == 0.0
    runner.step()
    assert len(house.taken()) == 1


def test_a_look_up_that_fails_keeps_everything_and_is_tried_again_in_a_minute(
    house: House,
) -> None:
    hear(house)
    runner = house.runner(album_affinity.RULE)
    runner.step()
    before = house.held(album_affinity.NAME)
    assert len(before) == len(SONGS)

    house.library.trouble = UnexpectedAnswer("Jellyfin answers with a login page")
    runner.wake(Wake.PLAY_ENDED)
    runner.step()

    assert house.told == [house.library.trouble]
    assert house.held(album_affinity.NAME) == before
    assert all(
        one.release_at is None for one in house.world.holds.of_rule(ANN, STICK, "album_affinity")
    )

    house.library.trouble = None
    hear(house, 2)
    house.world.clock.advance(RETRY_S - 1)
    runner.step()
    assert house.held(album_affinity.NAME) == before
    house.world.clock.advance(1)
    runner.step()
    house.world.clock.advance(86_400)
    assert house.held(album_affinity.NAME) == []


def test_an_album_that_is_listed_in_part_lets_nothing_go(house: House) -> None:
    hear(house)
    runner = house.runner(album_affinity.RULE)
    runner.step()

    house.library.lists[ALBUM] = ListedItems(tuple(SONGS[:4]), complete=False)
    runner.wake(Wake.PLAY_ENDED)
    runner.step()
    house.world.clock.advance(2 * 86_400)

    assert len(house.held(album_affinity.NAME)) == len(SONGS)


def test_one_rule_in_trouble_does_not_hold_up_the_others(house: House) -> None:
    hear(house)
    house.library.trouble = UnexpectedAnswer("no")
    runner = house.runner(house.watched(album_affinity.RULE), house.watched(next_up.RULE))
    house.book.change(next_up.RULE, STICK, {"enabled": True})

    runner.step()

    assert house.taken() == [album_affinity.NAME, next_up.NAME]


def test_a_rule_that_is_switched_off_lets_go_after_its_grace(house: House) -> None:
    hear(house)
    runner = house.runner(album_affinity.RULE)
    runner.step()

    house.book.change(album_affinity.RULE, STICK, {"enabled": False, "grace": "2 days"})
    runner.look_through_soon()
    runner.step()

    house.world.clock.advance(2 * 86_400 - 1)
    assert len(house.held(album_affinity.NAME)) == len(SONGS)
    house.world.clock.advance(1)
    assert house.held(album_affinity.NAME) == []


def test_nothing_runs_while_the_server_is_away_and_all_of_it_after(house: House) -> None:
    house.is_there = False
    runner = house.runner(house.watched(album_affinity.RULE), house.watched(playlists.RULE))

    runner.step()
    assert house.taken() == []
    assert runner.rest_s() == IDLE_S

    house.is_there = True
    assert runner.rest_s() == 0.0
    runner.step()
    assert house.taken() == [album_affinity.NAME, playlists.NAME]


def test_a_server_that_goes_away_stops_the_run_with_the_rest_still_due(house: House) -> None:
    hear(house)
    house.library.trouble = ServerAway("Jellyfin does not answer")
    runner = house.runner(house.watched(album_affinity.RULE), house.watched(playlists.RULE))

    runner.step()
    assert house.taken() == [album_affinity.NAME]

    house.is_there = True
    runner.step()
    assert house.taken() == [playlists.NAME]


def test_what_a_rule_waits_for_is_logged_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hear(house)
    house.library.trouble = UnexpectedAnswer("a login page")
    runner = house.runner(house.watched(album_affinity.RULE))

    for _ in range(4):
        runner.step()
        house.world.clock.advance(RETRY_S)

    assert len(house.ran) == 4
    assert caplog.text.count("waits: a login page") == 1


def test_signed_out_ends_the_run(house: House) -> None:
    hear(house)
    house.library.trouble = SignedOut("ann must sign in again")
    runner = house.runner(house.watched(album_affinity.RULE), house.watched(playlists.RULE))
    thread = Thread(target=runner.run, args=(Event(),))

    with house.world.db.thread():
        thread.start()
        thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert house.told == [house.library.trouble]
    assert house.taken() == [album_affinity.NAME]


def test_a_fault_of_ours_is_logged_and_tried_again_in_a_minute(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    asked = Event()
    stop = Event()

    def broken(_context: Context[Any]) -> Wanted:
        house.ran.append("broken")
        asked.set()
        raise KeyError("nobody foresaw it")

    runner = house.runner(replace(latest.RULE, wishes=broken))
    house.book.change(latest.RULE, STICK, {"enabled": True})
    thread = Thread(target=runner.run, args=(stop,))
    with caplog.at_level(logging.ERROR):
        thread.start()
        assert asked.wait(PATIENCE_S)
        stop.set()
        runner.wake(Wake.PLAYBACK)
        thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert house.taken() == ["broken"]
    assert "the rules of ann failed" in caplog.text
    house.world.clock.advance(RETRY_S)
    with pytest.raises(KeyError):
        runner.step()


def test_settings_are_those_of_the_device(house: House) -> None:
    house.world.devices.save(Device(CARD, "Card", "/nowhere/card", house.world.clock.now()))
    house.devices.append(CARD)
    house.book.change(album_affinity.RULE, CARD, {"threshold": 2})
    hear(house, 2)

    house.runner(album_affinity.RULE).step()

    assert house.held(album_affinity.NAME) == []
    assert len(house.held(album_affinity.NAME, CARD)) == len(SONGS)


def test_choices_are_those_of_the_device(house: House) -> None:
    house.world.devices.save(Device(CARD, "Card", "/nowhere/card", house.world.clock.now()))
    house.devices.append(CARD)
    house.chosen.choose(ANN, CARD, ROAD)

    house.runner(playlists.RULE).step()

    assert house.held(playlists.NAME) == []
    assert house.held(playlists.NAME, CARD) == [one.id for one in SONGS[:3]]


def test_a_device_that_does_not_serve_the_account_is_left_alone(house: House) -> None:
    house.devices.clear()
    hear(house)

    house.runner(album_affinity.RULE).step()

    assert house.waiting() == []


def test_until_somebody_tells_what_plays_nothing_fetched_ahead_is_let_go(house: House) -> None:
    runner = house.runner(queue_ahead.RULE)
    runner.plays([plays(SONGS[0], *SONGS)])
    runner.step()
    before = house.held(queue_ahead.NAME)
    assert len(before) == 5

    restarted = house.runner(queue_ahead.RULE)
    restarted.look_through_soon()
    restarted.step()
    assert house.held(queue_ahead.NAME) == before

    restarted.plays([])
    restarted.step()
    assert house.held(queue_ahead.NAME) == []


def test_a_track_that_is_skipped_takes_what_was_fetched_for_it_out_of_the_queue_at_once(
    house: House,
) -> None:
    house.book.change(queue_ahead.RULE, STICK, {"count": 2})
    runner = house.runner(queue_ahead.RULE)
    runner.plays([plays(SONGS[0], *SONGS)])
    runner.step()
    assert house.waiting() == ["1", "2"]
    (running,) = house.world.downloads.queue.claim_together(house.world.clock.now(), at_most=1)
    assert running.title == "1"

    runner.plays([plays(SONGS[4], *SONGS[4:])])
    assert runner.rest_s() == 0.0
    runner.step()

    assert house.waiting() == ["5", "6"]
    assert house.world.downloads.queries.get(running.id) is None


def test_what_plays_next_is_queued_in_the_step_after_it_was_told(house: House) -> None:
    runner = house.runner()
    runner.plays([])
    runner.step()
    assert house.waiting() == []

    runner.plays([plays(SONGS[0], *SONGS)])
    runner.step()

    assert house.waiting() == ["1", "2", "3", "4", "5"]


def test_a_client_that_stops_is_believed_after_a_moment(house: House) -> None:
    runner = house.runner(queue_ahead.RULE)
    runner.plays([plays(SONGS[0], *SONGS)])
    runner.step()

    runner.plays([])
    runner.step()
    assert len(house.waiting()) == 5

    house.world.clock.advance(GAP_S)
    runner.step()
    assert house.waiting() == []


def test_what_somebody_else_plays_is_no_concern_of_this_account(house: House) -> None:
    runner = house.runner(queue_ahead.RULE)

    runner.plays([replace(plays(SONGS[0], *SONGS), user_id=BEN)])
    runner.step()

    assert house.waiting() == []


def test_what_a_rule_cannot_do_is_said_until_it_is_over_or_switched_off(house: House) -> None:
    runner = house.runner(queue_ahead.RULE)
    runner.plays([plays(SONGS[0], shuffled=True)])
    runner.step()
    (told,) = runner.remarks(STICK)[queue_ahead.NAME]
    assert "shuffled" in told
    assert runner.remarks(CARD) == {}

    house.book.change(queue_ahead.RULE, STICK, {"enabled": False})
    runner.look_through_soon()
    runner.step()

    assert runner.remarks(STICK) == {}


def test_a_wake_during_a_run_is_not_lost(house: House) -> None:
    runner: RuleRunner

    def waking(context: Context[Any]) -> Wanted:
        if not house.ran:
            runner.wake(Wake.PLAY_ENDED)
        house.ran.append("ran")
        return Wanted()

    runner = house.runner(replace(album_affinity.RULE, wishes=waking))
    runner.step()

    assert house.taken() == ["ran", "ran"]


def test_a_wake_ends_the_rest_at_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one test with the real clock: unless it is woken, it rests longer than anybody waits."""
    monkeypatch.setattr(following, "LOOK_ANYWAY_S", 10 * PATIENCE_S)
    house.world.clock = SystemClock()  # type: ignore[assignment]  # real on purpose
    ran, stop = Event(), Event()

    def noted(_context: Context[Any]) -> Wanted:
        ran.set()
        return Wanted()

    runner = house.runner(replace(album_affinity.RULE, wishes=noted))
    thread = Thread(target=runner.run, args=(stop,))
    thread.start()
    try:
        assert ran.wait(PATIENCE_S)
        assert runner.rest_s() > PATIENCE_S
        for _ in range(10):
            ran.clear()
            runner.wake(Wake.PLAY_ENDED)
            assert ran.wait(PATIENCE_S)
    finally:
        stop.set()
        runner.wake(Wake.PLAYBACK)
        thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert house.looks < 100


def test_what_a_saved_filter_does_not_match_any_more_goes_only_as_far_as_it_is_believed(
    house: House,
) -> None:
    saved = SavedSelection("5" * 32, "Jazz", Selection(genres=("Jazz",)))
    store, asking = (
        house.world.stores.selections,
        SelectionQuestions(house.world.stores.selections, house.world.bus),
    )
    store.add(ANN, saved, house.world.clock.now())
    store.keep(ANN, STICK, saved.id)
    house.library.known = {one.id: one for one in SONGS}
    runner = house.runner(selections.RULE, asking=asking)

    def held_with(count: int) -> int:
        house.library.lists[saved.id] = full(*SONGS[:count])
        runner.wake(Wake.LIBRARY)
        house.world.clock.advance(LIBRARY_REST_S + SETTLE_S)
        runner.step()
        house.world.clock.advance(2 * 86_400)
        return len(house.held(selections.NAME))

    assert [held_with(9), held_with(5), held_with(2), held_with(0)] == [9, 5, 5, 5]
    (asked,) = asking.of(ANN, STICK)
    assert (asked.kept.matched, asked.files) == (5, 0)
    assert held_with(2) == 5
    assert asking.answer(ANN, STICK, saved.id, remove=True)
    assert not asking.answer(ANN, STICK, saved.id, remove=True)
    assert held_with(2) == 2
    store.drop(ANN, STICK, saved.id)
    assert held_with(2) == 0
