from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from time import monotonic
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from sidecar.clock import SystemClock
from sidecar.demo.protocol.messages import Reply, Request
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.core import StartupPhase
from sidecar.domain.items.item import Item, ItemType
from sidecar.errors import NotAllowed, NotFound, ServerAway, SignedOut, SignInRefused
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.http.responses import read
from sidecar.jellyfin.live.events import (
    Connected,
    Disconnected,
    News,
    ServerStopping,
    SessionsNews,
    TokenRefused,
    UserDataChanged,
)
from sidecar.jellyfin.live.listener import Listener
from sidecar.jellyfin.mapping import to_item
from sidecar.jellyfin.models import ITEMS_PAGE
from sidecar.jellyfin.sign_in import SignedIn, SignIn
from sidecar.services.files.adoption.restore import AccountLibrary
from tests.fakes.libraries.tiny import FIRST_LIGHT, listing, track, write
from tests.fakes.servers.live import running
from tests.patience import PATIENCE_S

T = TypeVar("T")
MANY = 230
EVERY_KIND = frozenset({ItemType.AUDIO, ItemType.ALBUM, ItemType.ARTIST, ItemType.PLAYLIST})


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    listed = listing()
    folder = "Music/Drummer/Beats (2020)"
    listed["tracks"] += [track(folder, number, f"Beat {number}") for number in range(1, MANY + 1)]
    return write(tmp_path_factory.mktemp("library"), listed)


@pytest.fixture(params=list(Version))
def server(request: pytest.FixtureRequest, library: Path) -> Iterator[DemoServer]:
    with DemoServer(library, speaks=request.param, base_url="/jellyfin") as demo:
        yield demo


def identity(device_id: str) -> DeviceIdentity:
    return DeviceIdentity(device_id=device_id, version="1.0.0")


def sign_in(server: DemoServer, name: str, device_id: str = "") -> SignedIn:
    door = SignIn(server.url, identity(device_id or f"sidecar-{name}"))
    return door.with_password(name, SecretStr(name))


def client(server: DemoServer, name: str, device_id: str = "") -> Jellyfin:
    found = sign_in(server, name, device_id)
    return Jellyfin(
        server.url,
        identity=identity(device_id or f"sidecar-{name}"),
        token=found.token,
        user_id=found.user_id,
        server_id=found.server_id,
    )


@pytest.fixture
def ann(server: DemoServer) -> Jellyfin:
    return client(server, "ann")


def every(client: Jellyfin, kind: ItemType) -> list[Item]:
    """Return all items of a kind, asked in one page as any client would."""
    query = {"includeItemTypes": kind.value, "recursive": "true", "userId": client.user_id or ""}
    path = "Artists" if kind is ItemType.ARTIST else "Items"
    page = read(client.connection.get(path, query=query), ITEMS_PAGE)
    return [to_item(one) for one in page.items if one]


def named(client: Jellyfin, kind: ItemType, title: str) -> Item:
    return next(one for one in every(client, kind) if one.title == title)


def titles(items: Iterable[Item]) -> list[str]:
    return [one.title for one in items]


def test_the_accounts_rights_come_with_the_sign_in(server: DemoServer) -> None:
    rights = {
        name: (found.is_admin, found.may_download)
        for name in ("admin", "ann", "ben")
        for found in [sign_in(server, name)]
    }

    assert rights == {"admin": (True, True), "ann": (False, True), "ben": (False, False)}
    assert sign_in(server, "ann").server_version == server.speaks.value


def test_a_wrong_password_is_refused(server: DemoServer) -> None:
    with pytest.raises(SignInRefused):
        SignIn(server.url, identity("x")).with_password("ann", SecretStr("wrong"))


def test_quick_connect_signs_in_what_another_client_approves(
    server: DemoServer, ann: Jellyfin
) -> None:
    door = SignIn(server.url, identity("sidecar-new"))
    code = door.start_quick_connect()
    assert not door.is_approved(code.secret)

    ann.connection.send("POST", "QuickConnect", "Authorize", query={"code": code.code})

    assert door.is_approved(code.secret)
    assert door.finish_quick_connect(code.secret).user_id == ann.user_id
    with pytest.raises(SignInRefused, match="expired"):
        door.is_approved(SecretStr("0" * 64))


def test_favourites_of_every_kind_come_over_all_pages(ann: Jellyfin) -> None:
    beats = [one for one in every(ann, ItemType.AUDIO) if one.title.startswith("Beat")]
    others = [
        named(ann, ItemType.ALBUM, "First Light"),
        named(ann, ItemType.PLAYLIST, "Road trip"),
        named(ann, ItemType.ARTIST, "Long Player"),
    ]
    assert len(beats) == MANY
    for one in [*beats, *others]:
        assert ann.set_favourite(one.id, value=True)

    whole = ann.favourites(EVERY_KIND)

    assert whole.complete
    assert {one.id for one in whole.items} == {one.id for one in [*beats, *others]}
    assert all(one.is_favorite for one in whole.items)
    assert titles(ann.favourites({ItemType.ALBUM}).items) == ["First Light"]
    assert {one.size for one in ann.items(one.id for one in beats).values()} != {None}


def test_containers_open_into_their_own_tracks_and_no_others(ann: Jellyfin) -> None:
    hits = [one for one in every(ann, ItemType.ALBUM) if one.title == "Greatest Hits"]
    opened = {
        one.title: titles(ann.expand(one).items)
        for one in (
            named(ann, ItemType.ALBUM, "Double"),
            named(ann, ItemType.ARTIST, "The Sine Waves"),
            named(ann, ItemType.PLAYLIST, "Road trip"),
            named(ann, ItemType.SERIES, "The Signal"),
        )
    }

    assert sorted(titles(ann.expand(one).items) for one in hits) == [
        ["Hit of Choir"],
        ["Hit of Kettle"],
    ]
    assert opened["Double"] == ["Side 1", "Side 2"]
    assert opened["The Sine Waves"] == ["Tone 1", "Tone 2", "Tone 3"]
    assert opened["Road trip"] == ["Tone 2", "Tone 1"]
    assert len(opened["The Signal"]) == 4


def test_a_cover_is_found_where_its_track_says(ann: Jellyfin) -> None:
    tone = named(ann, ItemType.AUDIO, "Tone 1")
    assert tone.image_item_id is not None
    assert tone.image_tag is not None

    picture = ann.image(tone.image_item_id, tone.image_tag, max_width=100)

    assert picture.body == f"{FIRST_LIGHT}/cover.jpg".encode() * 20
    with pytest.raises(NotFound):
        ann.image(tone.id, tone.image_tag, max_width=100)


def test_what_an_account_may_not_see_is_no_sign_out(server: DemoServer, ann: Jellyfin) -> None:
    kid = client(server, "kid")
    album = named(ann, ItemType.ALBUM, "First Light")

    with pytest.raises(NotFound):
        kid.item(album.id)
    with pytest.raises(NotAllowed):
        kid.expand(album)
    assert kid.me().name == "kid"


def test_what_is_named_by_ids_is_only_what_an_account_may_see(
    server: DemoServer, ann: Jellyfin
) -> None:
    kid = client(server, "kid")
    album = named(ann, ItemType.ALBUM, "First Light")
    tones = [one.id for one in ann.expand(album).items]
    film = named(ann, ItemType.MOVIE, "Colour Bars")

    assert sorted(titles(kid.items(tones).values())) == ["Tone 1", "Tone 2", "Tone 3"]
    assert kid.visible_items(tones) == {}
    assert kid.visible_items(tones[:1]) == {}
    assert titles(kid.visible_items([*tones, album.id, film.id]).values()) == ["Colour Bars"]
    assert titles(ann.visible_items([film.id, *tones]).values()) == [
        "Colour Bars",
        "Tone 1",
        "Tone 2",
        "Tone 3",
    ]


class CountingServer(DemoServer):
    """The demo server, which counts what it was asked."""

    asked = 0

    def answer(self, request: Request) -> Reply:
        self.asked += 1
        return super().answer(request)


def test_a_whole_album_that_is_named_costs_few_requests(library: Path) -> None:
    with CountingServer(library, speaks=Version.V12_0) as server:
        ann = client(server, "ann")
        beats = [one.id for one in ann.expand(named(ann, ItemType.ALBUM, "Beats")).items]
        before = server.asked

        assert list(ann.visible_items(beats)) == beats
        # Three by their ids, the album by its address, and its tracks in pages.
        assert server.asked - before <= 10


def test_signing_out_is_noticed_by_the_next_request(ann: Jellyfin) -> None:
    ann.logout()

    with pytest.raises(SignedOut):
        ann.favourites({ItemType.AUDIO})


@pytest.mark.parametrize(
    "phase", [StartupPhase.STARTING, StartupPhase.ALMOST, StartupPhase.LOADING]
)
def test_a_starting_server_is_away_and_comes_back(
    server: DemoServer, ann: Jellyfin, phase: StartupPhase
) -> None:
    server.enter_phase(phase)
    asks: list[Callable[[], object]] = [
        ann.me,
        ann.public_info,
        lambda: ann.items(["0" * 32]),
        lambda: sign_in(server, "ann", "another"),
    ]
    for ask in asks:
        with pytest.raises(ServerAway):
            ask()
    assert not ann.is_ready()

    server.enter_phase(StartupPhase.READY)
    assert ann.is_ready()
    assert ann.me().name == "ann"


class Live:
    """A listener that runs in a thread."""

    def __init__(self, client: Jellyfin) -> None:
        self.news: Queue[News] = Queue()
        self.stop = Event()
        self.listener = Listener(client, self.news.put, clock=SystemClock(), chance=lambda: 0.0)

    def run(self) -> None:
        self.listener.run(self.stop)

    def end(self) -> None:
        self.stop.set()
        self.listener.end()

    def wait_for(self, kind: type[T]) -> T:
        """Wait for news of a kind, passing over others."""
        while True:
            told = self.news.get(timeout=PATIENCE_S)
            if isinstance(told, kind):
                return told


def test_a_heart_pressed_in_another_client_is_told_within_a_second(
    server: DemoServer, ann: Jellyfin
) -> None:
    phone = client(server, "ann", "phone")
    tone = named(phone, ItemType.AUDIO, "Tone 1")
    live = Live(ann)
    with running(live.run, live.end):
        live.wait_for(Connected)
        pressed = monotonic()
        phone.set_favourite(tone.id, value=True)
        told = live.wait_for(UserDataChanged)
        taken = monotonic() - pressed

    assert taken < 1
    assert (told.entries[0].item_id, told.entries[0].is_favorite) == (tone.id, True)
    assert told.user_id == ann.user_id


def test_what_another_client_plays_is_told(server: DemoServer, ann: Jellyfin) -> None:
    phone = client(server, "ann", "phone")
    tone = named(phone, ItemType.AUDIO, "Tone 1")
    live = Live(ann)
    with running(live.run, live.end):
        live.wait_for(Connected)
        report = {"ItemId": tone.id, "PlaylistItemId": "playlistItem0"}
        phone.connection.send("POST", "Sessions", "Playing", body=report)
        while not (told := live.wait_for(SessionsNews)).playing:
            continue

    assert (told.playing[0].item.id, told.playing[0].device_id) == (tone.id, "phone")
    assert ann.sessions()[0].playlist_item_id == "playlistItem0"


def test_a_token_taken_away_ends_the_live_connection_for_good(
    server: DemoServer, ann: Jellyfin
) -> None:
    live = Live(ann)
    with running(live.run, live.end) as thread:
        live.wait_for(Connected)
        # The same device signs in again: its first token is void from then on.
        sign_in(server, "ann")
        live.wait_for(Disconnected)
        live.wait_for(TokenRefused)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_a_server_that_comes_back_is_connected_to_again(library: Path, tmp_path: Path) -> None:
    with DemoServer(library, speaks=Version.V12_0, state_dir=tmp_path) as first:
        port = urlsplit(first.url).port or 0
        live = Live(client(first, "ann"))
        thread = Thread(target=live.run, name="under-test")
        thread.start()
        live.wait_for(Connected)
    try:
        live.wait_for(ServerStopping)
        live.wait_for(Disconnected)
        with DemoServer(library, speaks=Version.V12_0, port=port, state_dir=tmp_path):
            live.wait_for(Connected)
    finally:
        live.end()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_forged_manifest_names_nothing_that_its_account_may_not_see(
    server: DemoServer, ann: Jellyfin
) -> None:
    album = named(ann, ItemType.ALBUM, "First Light")
    tones = [one.id for one in ann.expand(album).items]
    film = named(ann, ItemType.MOVIE, "Colour Bars").id

    assert titles(AccountLibrary(client(server, "kid")).items([*tones, film]).values()) == [
        "Colour Bars"
    ]
    assert len(AccountLibrary(ann).items([*tones, film, "9" * 32])) == len(tones) + 1
