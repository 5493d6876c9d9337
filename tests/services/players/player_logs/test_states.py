"""What a player knows comes to the demo server, once, and can be taken back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.player_logs.states import UserState
from sidecar.errors import NotAManager, ServerAway, UnexpectedAnswer
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.services.players.player_logs.state_views import (
    NotTheListener,
    PlayerView,
    TakenStatesView,
)
from sidecar.services.players.player_logs.states import StateReporter, Wanted
from tests.services.conftest import STICK, World
from tests.services.travelling import HEADER, NOON, Travel, Traveller, moment, travelling

CHANGELOG = ".rockbox/database_changelog.txt"
SCROBBLER = ".scrobbler.log"
ALL = Wanted(hearts=True)
# Both versions of the server answer alike here: tests/jellyfin/library/test_play_state.py.
pytestmark = pytest.mark.parametrize("server", [Version.V12_0], indirect=True)


@pytest.fixture
def travel(world: World, server: DemoServer, tmp_path: Path) -> Iterator[Travel]:
    with travelling(world, server, tmp_path / "stick") as travel:
        yield travel


@pytest.fixture
def away(travel: Travel, world: World) -> Traveller:
    world.clock.advance(86_400)
    made = travel()
    made.listeners.choose(made.ann, STICK, made.ann.user_id)
    return made


def put(one: Traveller, path: str, text: str, at: int = NOON) -> Path:
    file = one.folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    os.utime(file, (at, at))
    return file


def mark(path: str, ms: int) -> str:
    folder, _, name = path.rpartition("/")
    return f">0;0;{ms * 16};0;{ms};0;0;/<HDD0>/{folder}/;{name}\n"


def beside(path: str) -> str:
    return f"{path.rpartition('/')[0]}.bmark"


def changed(path: str, **numbers: int) -> str:
    pairs = " ".join(f'{tag}="{value}"' for tag, value in numbers.items())
    return f'title="x" filename="/<HDD0>/{path}" {pairs} \n'


def look(one: Traveller) -> PlayerView:
    return one.player.look(one.ann, STICK)


def take(one: Traveller, wanted: Wanted = ALL) -> TakenStatesView:
    return one.player.take(one.ann, STICK, wanted)


def state(one: Traveller, title: str) -> UserState:
    return PlayStates(one.clients[one.ann.user_id]).state(one.item(title).id)


def test_nothing_is_shown_before_somebody_says_whose_player_it_is(travel: Travel) -> None:
    away = travel(users=("ann", "ben"))
    ben = away.sign_in("ben")
    put(away, beside(away.has("Tone 1").file_path), mark(away.has("Tone 1").file_path, 5000))

    view = look(away)

    assert (view.listener.is_chosen, view.positions, view.files) == (False, (), ())
    assert [one.name for one in view.listener.choices] == ["ann", ""]
    with pytest.raises(NotTheListener):
        take(away)
    with pytest.raises(NotAManager):
        away.listeners.choose(away.ann, STICK, ben.user_id)
    away.listeners.choose(away.ann, STICK, away.ann.user_id)
    assert len(look(away).positions) == 1
    assert away.player.look(ben, STICK).positions == ()
    with pytest.raises(NotAManager):
        away.listeners.choose(ben, STICK, ben.user_id)
    with pytest.raises(NotTheListener):
        away.desk.take(ben, STICK)
    away.listeners.choose(away.ann, STICK, None)
    with pytest.raises(NotTheListener):
        take(away)


def test_a_position_comes_home_once_and_can_be_taken_back(away: Traveller) -> None:
    path = away.has("Tone 1").file_path
    file = put(away, beside(path), mark(path, 5000) + mark("Other/1.mp3", 9) + "odd\n")
    before = file.read_bytes()

    view = look(away)
    done = take(away)

    assert [(one.title, one.seconds, one.is_end) for one in view.positions] == [
        ("Tone 1", 5.0, False)
    ]
    assert (view.unknown, len(view.remarks)) == (1, 2)
    assert (done.positions, done.plays, done.left) == (1, 0, 0)
    assert state(away, "Tone 1") == UserState(5.0, 0, datetime.fromtimestamp(NOON, UTC))
    assert take(away) == TakenStatesView()
    assert file.read_bytes() == before
    [made] = look(away).imports
    assert away.player.undo(away.ann, STICK, made.id) == 1
    assert state(away, "Tone 1") == UserState()
    assert len(look(away).positions) == 1
    assert look(away).imports == []


def test_one_heard_to_its_end_is_played(away: Traveller) -> None:
    path = away.has("Tone 1").file_path
    put(away, ".rockbox/most-recent.bmark", mark(path, 26_000))

    take(away)

    assert away.mark("Tone 1") == (1, moment(NOON), True)
    assert state(away, "Tone 1").position_s == 0


def test_where_the_server_is_newer_both_are_shown_and_the_answer_counts_once(
    away: Traveller,
) -> None:
    path = away.has("Tone 1").file_path
    states, item = PlayStates(away.clients[away.ann.user_id]), away.item("Tone 1")
    home = UserState(9.0, 1, datetime.fromtimestamp(NOON + 60, UTC), is_played=True)
    states.change(item.id, UserState(), home)
    put(away, beside(path), mark(path, 5000))

    [question] = look(away).questions
    assert (question.seconds, question.jellyfin_seconds) == (5.0, 9.0)
    assert take(away).positions == 0
    assert len(look(away).questions) == 1

    take(away, Wanted(answers={item.id: False}))
    assert (state(away, "Tone 1"), look(away).questions) == (home, [])
    put(away, beside(path), mark(path, 6000))
    take(away, Wanted(answers={item.id: True}))
    assert state(away, "Tone 1").position_s == 6.0
    put(away, beside(path), mark(path, 8000), NOON + 100)
    assert take(away).positions == 1


def test_in_whatever_order_two_files_come_the_newer_position_stays(away: Traveller) -> None:
    for number, order in enumerate(permutations([(5000, NOON), (8000, NOON + 500)]), 1):
        path = away.has(f"Tone {number}").file_path
        for ms, at in order:
            put(away, beside(path), mark(path, ms), at)
            take(away)
            take(away)

        assert state(away, f"Tone {number}").position_s == 8.0
        assert look(away).questions == []


def test_plays_of_log_and_changelog_count_once_in_any_order(away: Traveller) -> None:
    def log(title: str) -> None:
        lines = (
            f"The Sine Waves\tFirst Light\t{title}\t\t27\tL\t{NOON + at}\t\n" for at in (0, 90, 999)
        )
        put(away, SCROBBLER, HEADER + "".join(lines))
        away.desk.take(away.ann, STICK)

    def count(title: str, plays: int, at: int) -> None:
        path = away.has(title).file_path
        text = "## Changelog version 1\n" + changed(path, playcount=plays, rating=9)
        put(away, CHANGELOG, text, at)
        take(away)

    # Five up to here by the player, of which a log tells two; the third is later.
    def early(title: str) -> None:
        count(title, 4, NOON + 50)

    def late(title: str) -> None:
        count(title, 5, NOON + 500)

    orders = [(log, late, early, late), (late, early, log, log), (early, log, late, early)]
    for number, order in enumerate(orders, 1):
        title = f"Tone {number}"
        away.has(title)
        for step in order:
            step(title)

        assert away.mark(title) == (6, moment(NOON + 999), True), order
        assert state(away, title).is_favourite


def test_hearts_only_if_they_are_wanted_and_a_lost_one_stays_away(away: Traveller) -> None:
    path = away.has("Tone 1").file_path
    put(away, CHANGELOG, changed(path, rating=8, playcount=-1, lastelapsed=4000))

    assert [(one.title, one.rating) for one in look(away).hearts] == [("Tone 1", 8)]
    assert take(away, Wanted()) == TakenStatesView(positions=1)
    assert not state(away, "Tone 1").is_favourite
    assert take(away).hearts == 1
    away.phone.ask("DELETE", f"/UserFavoriteItems/{away.item('Tone 1').id}")
    assert look(away).hearts == []
    assert take(away).hearts == 0


def test_taking_counts_back_leaves_what_was_heard_since(away: Traveller) -> None:
    path = away.has("Tone 1").file_path
    item = away.item("Tone 1")
    put(away, CHANGELOG, changed(path, playcount=4, rating=10))
    take(away)
    away.phone.post(f"/UserPlayedItems/{item.id}", datePlayed=moment(NOON))
    [made] = look(away).imports

    away.player.undo(away.ann, STICK, made.id)

    assert state(away, "Tone 1") == UserState(
        0.0, 1, datetime.fromtimestamp(NOON, UTC), is_played=True
    )
    assert [one.plays for one in look(away).counts] == [4]


class TakesNothing(PlayStates):
    """States of a server that answers something else to one item."""

    def change(self, item_id: str, before: UserState, after: UserState) -> None:
        raise UnexpectedAnswer("not as Jellyfin does")


def test_one_that_is_not_taken_is_told_and_the_next_import_tries_again(away: Traveller) -> None:
    put(away, CHANGELOG, changed(away.has("Tone 1").file_path, playcount=4))
    client, store = away.clients[away.ann.user_id], away.tables.states
    _, [one], _ = away.player._compare(away.ann, away.registry.get(STICK), client)
    reporter = StateReporter(store, TakesNothing(client), STICK, away.world.clock)
    reporter.take(store.begin_import(away.ann.user_id, STICK, away.world.clock.now()), one, ALL)

    assert [one.why for one in reporter.refused] == ["not as Jellyfin does"]
    assert take(away).plays == 4
    assert away.mark("Tone 1")[0] == 4


class LosesTheAnswer(PlayStates):
    """States over a line that breaks before (or after) Jellyfin has written."""

    arrives = True

    def change(self, item_id: str, before: UserState, after: UserState) -> None:
        if self.arrives:
            super().change(item_id, before, after)
        raise ServerAway("Jellyfin does not answer")


@pytest.mark.parametrize("arrives", [True, False])
def test_what_was_cut_off_is_counted_once(away: Traveller, arrives: bool) -> None:
    put(away, CHANGELOG, changed(away.has("Tone 1").file_path, playcount=4))
    client, store = away.clients[away.ann.user_id], away.tables.states
    _, [one], _ = away.player._compare(away.ann, away.registry.get(STICK), client)
    marks = LosesTheAnswer(client)
    marks.arrives = arrives
    number = store.begin_import(away.ann.user_id, STICK, away.world.clock.now())
    with pytest.raises(ServerAway):
        StateReporter(store, marks, STICK, away.world.clock).take(number, one, ALL)

    take(away)
    take(away)
    assert away.mark("Tone 1")[0] == 4
    assert len(look(away).imports) == 1
