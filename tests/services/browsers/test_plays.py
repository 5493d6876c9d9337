"""What was heard in a browser comes to the demo server, in both voices, with its own times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sidecar.demo.server.server import DemoServer
from sidecar.domain.player_logs.states import UserState
from sidecar.errors import NotVisible
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.services.browsers.browsers import BrowserService
from sidecar.services.browsers.plays import BrowserPlays, HeardInBrowser
from sidecar.services.browsers.states import BrowserState, BrowserStates
from sidecar.store.accounts.choices import Choices
from sidecar.store.playback.imported_plays import ImportedPlays
from sidecar.store.schema.tables import BrowserPlayRow
from tests.services.conftest import World
from tests.services.travelling import NOON, Traveller, moment


@pytest.fixture
def away(world: World, server: DemoServer, tmp_path: Path) -> Iterator[Traveller]:
    made = Traveller(world, server, tmp_path / "stick")
    yield made
    made.close()


def heard(away: Traveller, title: str, stamp: int, seconds: float = 27) -> HeardInBrowser:
    return HeardInBrowser(away.item(title).id, datetime.fromtimestamp(stamp, UTC), seconds)


def test_plays_come_once_with_their_dates_and_what_does_not_count_is_passed_over(
    away: Traveller,
) -> None:
    plays = BrowserPlays(
        tables=replace(away.tables, imported=ImportedPlays(away.world.db, BrowserPlayRow)),
        client=away._client,
        on_plays=away.said.append,
        clock=away.world.clock,
    )
    nothing = HeardInBrowser("0" * 32, datetime.fromtimestamp(NOON, UTC), 100)
    of_the_future = heard(away, "Tone 2", NOON + 10 * 365 * 24 * 3600)
    some = [
        heard(away, "Tone 1", NOON),
        heard(away, "Tone 1", NOON + 600),
        heard(away, "Tone 2", NOON + 60, seconds=5),
        of_the_future,
        nothing,
    ]

    assert plays.take(away.ann, some, "Chrome on Android") == 2
    # The answer was lost: it is sent again, with one more.
    assert plays.take(away.ann, [*some, heard(away, "Tone 3", NOON + 900)], "Chrome") == 1

    assert away.mark("Tone 1") == (2, moment(NOON + 600), True)
    assert away.mark("Tone 2")[0] == 0
    assert away.mark("Tone 3") == (1, moment(NOON + 900), True)
    found = away.tables.plays.newest(away.ann.user_id, 10)
    assert {one.device_name for one in found} == {"Chrome on Android", "Chrome"}
    assert {one.client for one in found} == {"Jellyfin Sidecar"}
    assert away.said == [away.ann.user_id] * 2
    # Of another account they are plays of its own.
    ben = away.sign_in("ben")
    assert plays.take(ben, some[:1], "Firefox on Linux") == 1


def test_positions_and_hearts_come_with_their_own_times_and_never_over_newer_ones(
    away: Traveller,
) -> None:
    states = BrowserStates(client=away._client, clock=away.world.clock)
    song = away.item("Tone 1").id
    marks = PlayStates(away._client(away.ann.user_id))

    def stopped(stamp: int, seconds: float, item_id: str = song) -> BrowserState:
        at = datetime.fromtimestamp(stamp, UTC)
        return BrowserState(item_id=item_id, position_s=seconds, position_at=at)

    some = [
        replace(stopped(NOON, 9), is_favourite=True),
        BrowserState(item_id=away.item("Tone 2").id, is_favourite=True),
        stopped(NOON, 9, item_id="0" * 32),
    ]
    # A song begins anew each time; its heart comes all the same.
    assert states.take(away.ann, some) == 2
    assert marks.state(song) == UserState(is_favourite=True)
    assert states.take(away.ann, some) == 0, "the answer was lost, and it is sent again"
    assert states.take(away.ann, [BrowserState(item_id=song, is_favourite=False)]) == 1
    assert marks.state(song).is_favourite is False

    [found, *_] = away.phone.get("/Items", recursive="true", includeItemTypes="Movie")["Items"]
    film = str(found["Id"])
    assert states.take(away.ann, [stopped(NOON, 9, film)]) == 1
    at_noon = UserState(position_s=9, last=datetime.fromtimestamp(NOON, UTC))
    assert marks.state(film) == at_noon
    for other in (
        stopped(NOON, 12, film),
        stopped(NOON - 60, 12, film),
        stopped(NOON + 10**9, 12, film),
    ):
        assert states.take(away.ann, [other]) == 0
        assert marks.state(film) == at_noon
    assert states.take(away.ann, [stopped(NOON + 60, 10**6, film)]) == 1
    assert marks.state(film) == UserState(
        count=1, last=datetime.fromtimestamp(NOON + 60, UTC), is_played=True
    )
    # Of another account they are its own.
    assert marks.state(away.item("Tone 2").id).is_favourite
    ben = away.sign_in("ben")
    assert not PlayStates(away._client(ben.user_id)).state(away.item("Tone 2").id).is_favourite


def test_what_is_chosen_while_jellyfin_is_asked_for_something_else_is_kept_as_well(
    away: Traveller,
) -> None:
    meanwhile: list[Callable[[], object]] = []

    def client(user_id: str) -> Jellyfin:
        if meanwhile:
            meanwhile.pop()()
        return away._client(user_id)

    service = BrowserService(choices=Choices(away.world.db), client=client, clock=away.world.clock)
    first, second = away.item("Tone 1"), away.item("Tone 2")
    browser = service.begin(away.ann, "", "Kitchen")

    meanwhile.append(lambda: service.choose(away.ann, browser.id, second.id))
    chosen = service.choose(away.ann, browser.id, first.id).chosen
    assert [one.item_id for one in chosen] == [second.id, first.id]
    assert service.all(away.ann)[0].chosen == chosen

    meanwhile.append(lambda: service.forget(away.ann, browser.id))
    with pytest.raises(NotVisible):
        service.choose(away.ann, browser.id, away.item("Tone 3").id)
    assert service.all(away.ann) == []


def test_what_is_chosen_is_planned_within_the_limit(away: Traveller) -> None:
    service = BrowserService(
        choices=Choices(away.world.db), client=away._client, clock=away.world.clock
    )
    track = away.item("Tone 1")
    assert track.album_id
    browser = service.begin(away.ann, "", "Kitchen")
    assert service.begin(away.ann, browser.id, "again") == browser

    service.choose(away.ann, browser.id, track.album_id)
    plan = service.plan(away.ann, browser.id)
    assert track.id in {one.id for one in plan.files}
    assert plan.bytes == sum(one.size or 0 for one in plan.files)
    size = track.size or 0
    service.change(away.ann, browser.id, name="Kitchen", budget=plan.bytes - 1)
    less = service.plan(away.ann, browser.id)
    assert (len(less.left_out), less.bytes <= plan.bytes - 1, size > 0) == (1, True, True)

    service.report(away.ann, browser.id, files=2, size=100)
    [seen] = service.all(away.ann)
    assert (seen.files, seen.bytes, seen.seen_at) == (2, 100, away.world.clock.now())
    # Nobody else's: neither seen, nor steered, nor removed.
    ben = away.sign_in("ben")
    assert (service.all(ben), service.find(ben, browser.id)) == ([], None)
    service.drop(away.ann, browser.id, track.album_id)
    assert service.plan(away.ann, browser.id).files == []
    service.forget(away.ann, browser.id)
    assert service.all(away.ann) == []
