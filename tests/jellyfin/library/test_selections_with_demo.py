from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sidecar.clock import SystemClock
from sidecar.demo.protocol.messages import Reply, Request
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.domain.items.kinds import Kind
from sidecar.domain.items.selection import Named, Selection, SelectionOrder
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.library.selections import SelectionReader, SelectionSize
from sidecar.jellyfin.listing import PAGE_ITEMS
from tests.fakes.libraries.tiny import film, listing, track, write
from tests.jellyfin.library.test_browse_with_demo import client

MANY = "Music/Many/Volume (1990)"
COUNT = 2 * PAGE_ITEMS + 50
NOW = SystemClock().now()
FILMS = frozenset({Kind.FILM})


class CountingDemo(DemoServer):
    """Counts what it answers."""

    answers = 0

    def answer(self, request: Request) -> Reply:
        self.answers += 1
        return super().answer(request)


@pytest.fixture(scope="module", params=list(Version))
def demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CountingDemo]:
    """A library with so many old tracks by one artist, and rated films."""
    folder: Path = tmp_path_factory.mktemp("library")
    listed = listing()
    many = [track(MANY, number, f"Noise {number}", genres=["Drone"]) for number in range(COUNT)]
    listed["tracks"] += many
    listed["films"].append(film("Best", 1999, rating=8.5))
    write(folder, listed)
    for one in many:
        os.utime(folder / one["path"], (1_000_000_000, 1_000_000_000))
    with CountingDemo(folder, speaks=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def ann(demo: CountingDemo) -> Jellyfin:
    return client(demo, "ann")


def titles(ann: Jellyfin, asked: Selection) -> list[str]:
    listed = SelectionReader(ann).read(asked, NOW, "")
    assert listed.complete
    return [one.title for one in listed.items]


def test_the_server_filters(ann: Jellyfin) -> None:
    libraries = {one.name: one for one in SelectionReader(ann).libraries()}
    assert {"Music", "Movies", "Shows"} <= libraries.keys()
    assert "Playlists" not in libraries
    artist = SelectionReader(ann).find_artist("the sine waves")
    assert artist is not None
    assert SelectionReader(ann).find_artist("sine") is None
    tones = ["Tone 1", "Tone 2", "Tone 3"]

    assert titles(ann, Selection(artists=(artist,))) == tones
    assert titles(ann, Selection(genres=("Drone",))) == sorted(
        (f"Noise {one}" for one in range(COUNT)), key=lambda one: int(one[6:])
    )
    assert titles(ann, Selection(kinds=FILMS, tags=("Violent",))) == ["Test Pattern"]
    assert titles(ann, Selection(kinds=FILMS, least_rating=8.0)) == ["Best"]
    assert titles(ann, Selection(kinds=FILMS, first_year=1995, last_year=1999)) == [
        "Best",
        "Colour Bars",
    ]
    assert titles(ann, Selection(kinds=FILMS, order=SelectionOrder.YEAR, most_files=2)) == [
        "Test Pattern",
        "Best",
    ]
    assert titles(ann, Selection(text="side")) == ["Side 1", "Side 2"]
    everything = frozenset({Kind.FILM, Kind.TRACK, Kind.EPISODE})
    shows = Selection(kinds=everything, libraries=(libraries["Shows"],))
    assert len(titles(ann, shows)) == 4
    both = Selection(kinds=everything, libraries=(libraries["Shows"], libraries["Movies"]))
    assert len(titles(ann, both)) == 7
    assert titles(ann, Selection(genres=("Of nothing",))) == []


def test_what_was_played_hearted_or_added_at_some_time(ann: Jellyfin) -> None:
    by_title = {one.title: one for one in SelectionReader(ann).read(Selection(), NOW, "").items}
    ann.connection.send("POST", "UserPlayedItems", by_title["Side 1"].id)
    ann.connection.send("POST", "UserFavoriteItems", by_title["Side 2"].id)

    assert titles(ann, Selection(text="side", is_unheard=True)) == ["Side 2"]
    assert titles(ann, Selection(is_hearted=True)) == ["Side 2"]
    assert titles(ann, Selection(text="side", unheard_days=30)) == ["Side 2"]
    later = NOW + timedelta(days=40)
    seen = SelectionReader(ann).read(Selection(text="side", unheard_days=30), later, "")
    assert {one.title for one in seen.items} == {"Side 1", "Side 2"}
    # All but the many were written just now.
    assert len(titles(ann, Selection(added_days=30))) == len(by_title) - COUNT


def test_few_requests_are_sent(demo: CountingDemo, ann: Jellyfin) -> None:
    artist = SelectionReader(ann).find_artist("Many")
    assert artist is not None
    of_many = Selection(artists=(artist,))
    cases = [
        (of_many, 3, COUNT),
        (Selection(artists=(artist,), most_files=20), 1, 20),
        (Selection(artists=(artist,), most_bytes=1), 3, 0),
        (Selection(added_days=30), 1, 8),
        (Selection(genres=("Of nothing",)), 1, 0),
    ]
    for asked, requests, count in cases:
        before = demo.answers
        assert len(titles(ann, asked)) == count
        assert demo.answers - before == requests, asked

    before = demo.answers
    size = SelectionReader(ann).measure(of_many, NOW)
    assert (size.files, size.is_estimate, demo.answers - before) == (COUNT, False, 3)
    assert size.bytes == sum(
        one.size or 0 for one in ann.items(one.id for one in _read(ann, of_many)).values()
    )
    assert SelectionReader(ann).measure(Selection(genres=("Of nothing",)), NOW) == SelectionSize(
        0, 0, 0.0, is_estimate=False
    )


def _read(ann: Jellyfin, asked: Selection) -> list[Named]:
    return [Named(one.id, one.title) for one in SelectionReader(ann).read(asked, NOW, "").items]
