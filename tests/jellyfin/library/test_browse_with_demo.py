from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.core import StartupPhase
from sidecar.domain.items.kinds import Kind
from sidecar.errors import NotAllowed, NotFound, ServerAway, SignedOut
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.library.browse import BrowsePage, BrowseQuery, Browser, BrowseSort
from sidecar.jellyfin.library.streaming import FileUnavailable, open_stream
from sidecar.jellyfin.sign_in import SignIn
from tests.fakes.libraries.tiny import TONE_1, listing, write

SIZE = 3_000_017
WHOLE = (TONE_1.encode() * 20).ljust(SIZE, b"\0")
OTHER_TIME = "Sat, 01 Jan 2000 00:00:00 GMT"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return write(tmp_path / "library", listing(), {TONE_1: SIZE})


@pytest.fixture(params=list(Version))
def server(request: pytest.FixtureRequest, library: Path) -> Iterator[DemoServer]:
    with DemoServer(library, speaks=request.param, base_url="/jellyfin") as demo:
        yield demo


def client(server: DemoServer, name: str) -> Jellyfin:
    identity = DeviceIdentity(device_id=f"sidecar-{name}", version="1.0.0")
    found = SignIn(server.url, identity).with_password(name, SecretStr(name))
    return Jellyfin(
        server.url,
        identity=identity,
        token=found.token,
        user_id=found.user_id,
        server_id=found.server_id,
    )


@pytest.fixture
def ann(server: DemoServer) -> Browser:
    return Browser(client(server, "ann"))


def titles(shelf: BrowsePage) -> list[str]:
    return [one.item.title for one in shelf.entries]


def kinds(*kinds: Kind) -> frozenset[Kind]:
    return frozenset(kinds)


def place(browser: Browser, *titles: str) -> str:
    """Walk down from the libraries, by titles; return the id of where that leads."""
    parent: str | None = None
    for title in titles:
        shelf = browser.page(BrowseQuery(parent=parent, page_size=100))
        parent = next(one.item.id for one in shelf.entries if one.item.title == title)
    assert parent is not None
    return parent


def test_the_libraries_come_first_and_each_leads_to_its_own(ann: Browser) -> None:
    libraries = ann.page(BrowseQuery())

    assert {one.kind for one in libraries.entries} == {Kind.VIEW}
    assert {one.children for one in libraries.entries} == {None}
    assert set(titles(libraries)) >= {"Music", "Movies", "Shows"}
    inside = {
        name: titles(ann.page(BrowseQuery(parent=place(ann, name), page_size=100)))
        for name in ("Music", "Movies", "Shows")
    }
    assert "First Light" in inside["Music"]
    assert inside["Movies"] == ["Colour Bars", "Test Pattern"]
    assert inside["Shows"] == ["The Signal"]
    assert titles(ann.page(BrowseQuery(page=2, page_size=2))) == titles(libraries)[2:4]


def test_albums_open_into_tracks_and_series_into_seasons_and_episodes(ann: Browser) -> None:
    album = place(ann, "Music", "First Light")
    double = place(ann, "Music", "Double")
    series = place(ann, "Shows", "The Signal")
    seasons = ann.page(BrowseQuery(parent=series))

    assert titles(ann.page(BrowseQuery(parent=album))) == ["Tone 1", "Tone 2", "Tone 3"]
    assert titles(ann.page(BrowseQuery(parent=double))) == ["Side 1", "Side 2"]
    assert [one.kind for one in seasons.entries] == [Kind.SEASON] * 2
    episodes = ann.page(BrowseQuery(parent=seasons.entries[1].item.id))
    assert titles(episodes) == ["The Signal S02E01", "The Signal S02E02"]
    everything = ann.page(BrowseQuery(parent=series, kinds=kinds(Kind.EPISODE)))
    assert (everything.total, everything.entries[0].item.series) == (4, "The Signal")
    assert ann.get(album).children == 3
    assert ann.page(BrowseQuery(parent=place(ann, "Music"), text="first")).entries[0].children == 3


def test_artists_open_into_their_albums_and_playlists_keep_their_order(ann: Browser) -> None:
    artists = ann.page(BrowseQuery(kinds=kinds(Kind.ARTIST), page_size=100))
    choir = next(one.item.id for one in artists.entries if one.item.title == "Choir")
    playlists = ann.page(BrowseQuery(kinds=kinds(Kind.PLAYLIST)))

    hits = ann.page(BrowseQuery(parent=choir))
    assert (titles(hits), hits.entries[0].item.year) == (["Greatest Hits"], 2001)
    tracks = ann.page(BrowseQuery(parent=choir, kinds=kinds(Kind.TRACK)))
    assert titles(tracks) == ["Hit of Choir"]
    assert titles(playlists) == ["Road trip"]
    entries = ann.page(BrowseQuery(parent=playlists.entries[0].item.id))
    assert titles(entries) == ["Tone 2", "Tone 1"]


def test_words_are_searched_in_every_kind_or_in_some(ann: Browser) -> None:
    assert set(titles(ann.page(BrowseQuery(text="TONE", page_size=100)))) == {
        "Tone 1",
        "Tone 2",
        "Tone 3",
    }
    found = ann.page(BrowseQuery(text="signal", kinds=kinds(Kind.SERIES)))
    assert titles(found) == ["The Signal"]
    assert titles(ann.page(BrowseQuery(text="sine", kinds=kinds(Kind.ARTIST)))) == [
        "The Sine Waves"
    ]
    assert ann.page(BrowseQuery(text="nothing like it")) == BrowsePage((), 0)


def test_pages_follow_each_other_in_the_order_asked_for(ann: Browser) -> None:
    films = kinds(Kind.FILM)

    by_name = [titles(ann.page(BrowseQuery(kinds=films, page=n, page_size=1))) for n in (1, 2, 3)]
    by_year = ann.page(BrowseQuery(kinds=films, sort=BrowseSort.YEAR))

    assert by_name == [["Colour Bars"], ["Test Pattern"], []]
    assert titles(by_year) == ["Test Pattern", "Colour Bars"]
    assert by_year.total == 2


def test_an_item_is_told_with_its_size_and_what_one_did_with_it(ann: Browser) -> None:
    tone = place(ann, "Music", "First Light", "Tone 1")
    entry = ann.get(tone)

    assert (entry.kind, entry.item.size, entry.item.seconds) == (Kind.TRACK, SIZE, 27.0)
    assert (entry.item.is_favorite, entry.item.is_played) == (False, False)
    assert entry.item.image_tag is not None


def test_what_an_account_may_not_see_is_not_there(server: DemoServer, ann: Browser) -> None:
    kid = Browser(client(server, "kid"))
    music = place(ann, "Music")
    album = place(ann, "Music", "First Light")

    for parent in (music, album, "0" * 32):
        with pytest.raises((NotFound, NotAllowed)):
            kid.page(BrowseQuery(parent=parent))
        with pytest.raises(NotFound):
            kid.get(parent)
    assert titles(kid.page(BrowseQuery(text="tone"))) == []


def test_a_server_that_starts_is_away(server: DemoServer, ann: Browser) -> None:
    server.enter_phase(StartupPhase.LOADING)

    with pytest.raises(ServerAway):
        ann.page(BrowseQuery())


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ({}, 200, range(SIZE)),
        ({"Range": "bytes=10-99"}, 206, range(10, 100)),
        ({"Range": "bytes=-5"}, 206, range(SIZE - 5, SIZE)),
        ({"Range": "bytes=10-99", "If-Range": OTHER_TIME}, 200, range(SIZE)),
    ],
)
def test_a_file_is_passed_on_as_it_was_asked_for(
    server: DemoServer, ann: Browser, asked: dict[str, str], status: int, part: range
) -> None:
    tone = place(ann, "Music", "First Light", "Tone 1")
    # Ben may listen, but not download.
    found = open_stream(client(server, "ben"), tone, asked)

    body = b"".join(found.blocks())
    found.close()

    assert (found.status, found.mime_type) == (status, "audio/flac")
    assert body == WHOLE[part.start : part.stop]
    assert found.headers["Content-Length"] == str(len(part))
    if status == 206:
        assert found.headers["Content-Range"] == f"bytes {part.start}-{part.stop - 1}/{SIZE}"


def test_a_range_behind_the_end_is_passed_on_as_refused(server: DemoServer, ann: Browser) -> None:
    tone = place(ann, "Music", "First Light", "Tone 1")

    found = open_stream(client(server, "ben"), tone, {"Range": f"bytes={SIZE}-"})
    found.close()

    assert (found.status, found.headers["Content-Range"]) == (416, f"bytes */{SIZE}")


def test_a_file_that_jellyfin_misses_is_told_from_one_that_nobody_may_hear(
    server: DemoServer, ann: Browser, library: Path
) -> None:
    tone = place(ann, "Music", "First Light", "Tone 1")
    me, kid = client(server, "ann"), client(server, "kid")

    for who, what in ((kid, tone), (me, "0" * 32)):
        with pytest.raises(NotFound) as unknown:
            open_stream(who, what, {})
        assert not isinstance(unknown.value, FileUnavailable)
    (library / TONE_1).unlink()
    with pytest.raises(FileUnavailable, match="its file is not there now"):
        open_stream(me, tone, {})
    server.enter_phase(StartupPhase.LOADING)
    with pytest.raises(ServerAway):
        open_stream(me, tone, {})
    server.enter_phase(StartupPhase.READY)
    me.logout()
    with pytest.raises(SignedOut):
        open_stream(me, tone, {})


def test_whoever_waits_for_a_block_is_let_go(server: DemoServer, ann: Browser) -> None:
    tone = place(ann, "Music", "First Light", "Tone 1")
    found = open_stream(client(server, "ann"), tone, {})

    found.abort()

    with pytest.raises(ServerAway, match="broke off"):
        list(found.blocks())
    found.close()
