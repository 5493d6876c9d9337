"""What the saved filters of an account cost the server, look by look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.demo.protocol.messages import Reply, Request
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.items.kinds import Kind
from sidecar.domain.items.selection import Named, Selection
from sidecar.errors import JellyfinError
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.selections import SelectionReader
from sidecar.jellyfin.listing import PAGE_ITEMS
from sidecar.services.rules.selections.looks import LOOK_KEPT_S, SelectionLooks
from tests.fakes.clock import FakeClock
from tests.fakes.libraries.tiny import listing, track, write
from tests.jellyfin.library.test_browse_with_demo import client

FOLDER = "Music/Many/Volume (1990)"
COUNT = PAGE_ITEMS + 50
PAGES = 2
HOUR_S = 3600.0
MOST_REQUESTS = 2
EVERYTHING = frozenset({Kind.TRACK, Kind.FILM, Kind.EPISODE})


class CountingDemo(DemoServer):
    """Notes the path of what it answers."""

    paths: list[str]

    def answer(self, request: Request) -> Reply:
        self.paths.append(request.path)
        return super().answer(request)


@pytest.fixture(params=list(Version))
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CountingDemo]:
    listed = listing()
    listed["tracks"] += [track(FOLDER, number, f"Noise {number}") for number in range(COUNT)]
    write(tmp_path, listed)
    with CountingDemo(tmp_path, speaks=request.param) as running:
        running.paths = []
        yield running


class Looking:
    """The looks of ann at her filters, with the requests of each by path."""

    def __init__(self, demo: CountingDemo) -> None:
        self._demo = demo
        self.ann: Jellyfin = client(demo, "ann")
        self.clock = FakeClock()
        self.looks = SelectionLooks(self.ann, self.clock)

    def look(self, asked: Selection) -> tuple[set[str], int]:
        """Return the titles of what matches, and how many requests that took."""
        self._demo.paths.clear()
        listed = self.looks.list_matches(asked, repr(asked), self.clock.now())
        assert listed.complete
        assert {one.split("/")[1] for one in self._demo.paths} <= {"Items"}, self._demo.paths
        return {one.title for one in listed.items}, len(self._demo.paths)

    def look_an_hour_later(self, asked: Selection) -> tuple[set[str], int]:
        self.clock.advance(HOUR_S)
        return self.look(asked)


@pytest.fixture
def looking(demo: CountingDemo) -> Looking:
    return Looking(demo)


def test_a_look_that_finds_nothing_new_costs_two_requests_at_most(looking: Looking) -> None:
    libraries = tuple(SelectionReader(looking.ann).libraries())
    assert len(libraries) > MOST_REQUESTS
    cases = [
        (Selection(), 1),
        (Selection(is_unheard=True), 1),
        (Selection(unheard_days=30), 1),
        (Selection(added_days=30), 1),
        (Selection(libraries=libraries[:2], kinds=EVERYTHING), 2),
        (Selection(libraries=libraries, kinds=EVERYTHING), 1),
    ]
    for asked, most in cases:
        found, first = looking.look(asked)
        assert len(found) >= COUNT
        assert first > PAGES, "it is read in whole, after a look"
        for _ in range(3):
            assert looking.look_an_hour_later(asked) == (found, most), asked
        looking.clock.advance(20 * HOUR_S)
        assert looking.look_an_hour_later(asked) == (found, first), "each day it is read in whole"
        looking.clock.advance(LOOK_KEPT_S - 1)
        assert looking.look(asked) == (found, 0), "several devices share a look"


def test_what_nobody_told_is_found_by_its_number(looking: Looking) -> None:
    hearted = Selection(is_hearted=True)
    assert looking.look(hearted)[0] == set()
    everything = looking.looks.list_matches(Selection(), "all", looking.clock.now()).items
    one, other = everything[:2]

    looking.ann.connection.send("POST", "UserFavoriteItems", one.id)
    assert looking.look_an_hour_later(hearted)[0] == {one.title}
    looking.ann.connection.send("POST", "UserFavoriteItems", other.id)
    looking.ann.connection.send("DELETE", "UserFavoriteItems", one.id)
    assert looking.look_an_hour_later(hearted)[0] == {other.title}


def test_what_was_heard_has_only_the_filters_read_that_depend_on_it(looking: Looking) -> None:
    unheard, drone = Selection(unheard_days=30), Selection(text="noise")
    before, _ = looking.look(unheard)
    looking.look(drone)
    noise = looking.looks.list_matches(drone, repr(drone), looking.clock.now()).items[0]
    looking.clock.advance(60)

    looking.ann.connection.send("POST", "UserPlayedItems", noise.id)
    looking.looks.note_listening_changed()

    after, requests = looking.look(unheard)
    assert before - after == {noise.title}
    assert requests > PAGES
    assert looking.look(drone)[1] == 0


def test_what_the_server_tells_of_has_all_filters_read(looking: Looking) -> None:
    drone = Selection(text="noise")
    found, first = looking.look(drone)
    looking.clock.advance(60)

    looking.looks.note_library_changed()
    looking.clock.advance(1)

    assert looking.look(drone) == (found, first)
    assert looking.look(drone) == (found, 0)


def test_a_library_that_is_gone_is_not_one_without_files(looking: Looking) -> None:
    gone = Selection(libraries=(Named("9" * 32, "Gone"),))

    try:
        listed = looking.looks.list_matches(gone, "gone", looking.clock.now())
    except JellyfinError as trouble:
        pytest.fail(str(trouble))
    assert not listed.items
    assert not listed.complete
