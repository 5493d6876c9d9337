from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.rules.queue_ahead import NAME
from sidecar.domain.wishes import Reason, Wish
from sidecar.services.accounts.person import Person
from sidecar.services.playback.history import PlayHistory, UpcomingDownloads
from sidecar.services.playback.tracker import PlaybackTracker
from sidecar.services.rules.wishes import WishService
from sidecar.store.playback.plays import Plays
from tests.domain.playback.listeners import client
from tests.services.conftest import ANN, STICK, World, track

BEN = "b" * 32
ANNE, BENN = Person(ANN, "Ann", is_admin=False), Person(BEN, "ben", is_admin=False)
EVE = Person("e" * 32, "eve", is_admin=True)


@pytest.fixture
def watching(world: World) -> PlaybackTracker:
    plays = Plays(world.db)
    return PlaybackTracker(plays, world.downloads, on_play=lambda _: None, clock=world.clock)


@pytest.fixture
def desk(world: World, watching: PlaybackTracker) -> PlayHistory:
    """A household in which Ann has heard the film, and Ben is hearing it."""
    ann = world.accounts.get(ANN)
    assert ann is not None
    for user_id, name in ((BEN, "ben"), (EVE.user_id, "eve")):
        world.accounts.save(
            replace(ann, user_id=user_id, name=name, jellyfin_device_id=f"sidecar-{name}")
        )
    for second in range(0, 301, 10):
        watching.tell(ANN, [client("film", second, reported=second)])
        watching.tell(BEN, [client("film", second, reported=second, user=BEN, session="t")])
        world.clock.advance(10)
    watching.tell(ANN, [])
    watching.tick()
    world.clock.advance(5)
    coming = UpcomingDownloads(world.holds, world.downloads, world.devices.all)
    return PlayHistory(Plays(world.db), watching.shown, world.accounts.all, coming.of)


def titles(desk: PlayHistory, person: Person, account: str | None = None) -> list[str]:
    page = desk.plays(person, account, 1, 10)
    assert page.total == len(page.items)
    return [one.title for one in page.items]


def test_everybody_sees_their_own_plays(desk: PlayHistory) -> None:
    (play,) = desk.plays(ANNE, None, 1, 10).items

    assert (play.title, play.client, play.is_counted) == ("film", "Finamp", True)
    assert play.seconds_heard == pytest.approx(300, abs=5)
    assert titles(desk, ANNE, "ANN") == titles(desk, ANNE, ANN) == ["film"]


def test_only_an_admin_sees_somebody_else_s(desk: PlayHistory) -> None:
    assert titles(desk, EVE, "ann") == titles(desk, EVE, ANN) == ["film"]
    assert titles(desk, EVE) == titles(desk, EVE, "nobody") == []
    assert desk.plays(BENN, "ann", 1, 10) == desk.plays(BENN, "nobody", 1, 10)


def test_what_plays_now_is_shown_to_who_plays_it_and_to_admins(desk: PlayHistory) -> None:
    (hearing,) = desk.now(BENN)

    assert (hearing.account, hearing.title, hearing.device_name) == ("ben", "film", "Phone")
    assert (hearing.position, hearing.seconds_heard, hearing.is_paused) == (300.0, 300.0, False)
    assert (hearing.player, hearing.silence) == ("Finamp on Phone", "")
    assert desk.now(EVE) == [hearing]
    assert desk.now(ANNE) == []


def test_a_client_without_a_word_says_since_when_and_a_gap_is_no_end(
    desk: PlayHistory, watching: PlaybackTracker, world: World
) -> None:
    since = world.clock.now() - timedelta(seconds=15)
    world.clock.advance(60)
    watching.tell(BEN, [client("film", 375, reported=300, user=BEN, session="t")])

    (hearing,) = desk.now(BENN)
    assert hearing.silent_since == since
    assert hearing.silence.startswith("no word since ")
    assert hearing.silence.endswith(f"{since.astimezone():%H:%M}")

    watching.tell(BEN, [client("film", 376, reported=376, user=BEN, session="t")])
    assert [one.silence for one in desk.now(BENN)] == [""]
    watching.tell(BEN, [])
    world.clock.advance(2)
    assert [one.title for one in desk.now(BENN)] == ["film"]
    world.clock.advance(3)
    assert desk.now(BENN) == []


def test_each_client_shows_what_comes_next_there_without_what_plays(world: World) -> None:
    items = {number: track(number, album_id=f"{number // 10:032x}") for number in (11, 12, 21, 22)}
    planning = WishService(world.db, world.holds, world.downloads, world.clock)
    for one in items.values():
        why = Reason(NAME, one.album_id or "", "next on this album")
        planning.hold([Wish(ANN, STICK, one, why)], lambda _: {i.id: i for i in items.values()})
    first, second = (
        replace(client("x", 0), session_id=name, item=items[number])
        for name, number in (("s", 11), ("t", 21))
    )
    coming = UpcomingDownloads(world.holds, world.downloads, world.devices.all)

    assert [one.title for one in coming.of(first, [second])] == ["Tone 12"]
    assert [one.title for one in coming.of(second, [first])] == ["Tone 22"]
    alone = [one.title for one in coming.of(first, [])]
    assert sorted(alone) == ["Tone 12", "Tone 21", "Tone 22"]
