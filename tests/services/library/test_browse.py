from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.demo.protocol.messages import Reply, Request
from sidecar.demo.protocol.version import Version
from sidecar.demo.server.server import DemoServer
from sidecar.demo.state.core import StartupPhase
from sidecar.domain.downloads.download import Download
from sidecar.domain.items.item import Item
from sidecar.domain.items.kinds import Kind
from sidecar.domain.undo import merge_reversals
from sidecar.errors import NotVisible, ServerAway
from sidecar.events import Progress
from sidecar.jellyfin.client import Jellyfin
from sidecar.jellyfin.device_identity import DeviceIdentity
from sidecar.jellyfin.library.browse import BrowseQuery
from sidecar.jellyfin.library.play_state import PlayStates
from sidecar.jellyfin.sign_in import SignIn
from sidecar.services.accounts.person import Person
from sidecar.services.devices.views import DeviceView
from sidecar.services.library.browse import SEEN_FOR_S, LibraryBrowser
from sidecar.services.library.covers import CoverCache
from sidecar.services.library.download_state import ButtonState, DownloadStates, ItemDownloadState
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.files.search import FileIndex
from tests.fakes.libraries.tiny import tiny_library
from tests.fakes.servers.demo import QUICK
from tests.services.conftest import STICK, World


class CountingServer(DemoServer):
    """The demo server; remembers what it was asked for."""

    asked: list[str]

    def answer(self, request: Request) -> Reply:
        self.asked.append(request.path)
        return super().answer(request)


@dataclass
class Home:
    """The library desk of ann and of a child who may see films only."""

    world: World
    server: CountingServer
    desk: LibraryBrowser
    ann: Person
    kid: Person
    clients: dict[str, Jellyfin]
    running: list[Progress] = field(default_factory=list)

    def find(self, title: str, kind: Kind) -> str:
        asked = BrowseQuery(text=title, kinds=frozenset({kind}), page_size=100)
        page = self.desk.listed(self.ann, asked)
        return next(one.entry.item.id for one in page.items if one.entry.item.title == title)

    def tracks(self, container: str) -> list[Item]:
        client = self.clients[self.ann.user_id]
        return list(client.expand(client.item(container)).items)

    def queued(self, item: Item, priority: int = 0) -> Download:
        place = FilePlace(item.id, item.id)
        wanted = NewDownload(
            item=item,
            device_id=STICK,
            user_id=self.ann.user_id,
            places=[place],
            priority=priority,
        )
        return self.world.downloads.queue.add_all([wanted])[0]

    def claimed(self) -> Download:
        (found,) = self.world.downloads.queue.claim_together(self.world.clock.now(), at_most=1)
        return found

    def arrived(self, item: Item) -> None:
        self.queued(item, priority=99)
        self.world.downloads.transitions.mark_arrived(
            self.claimed(), size=100, content_hash="0" * 32, mime_type=None
        )

    def button(self, item_id: str, person: Person | None = None) -> ItemDownloadState:
        shown = self.desk.show(person or self.ann, item_id)
        assert shown.buttons is not None
        (only,) = shown.buttons
        return only


@pytest.fixture(params=list(Version))
def home(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Home]:
    library = tiny_library(tmp_path / "library")
    server = CountingServer(library, speaks=request.param, timing=QUICK)
    server.asked = []
    people, clients = {}, {}
    with server:
        for name in ("ann", "kid"):
            identity = DeviceIdentity(device_id=f"sidecar-{name}", version="1")
            found = SignIn(server.url, identity).with_password(name, SecretStr(name))
            people[name] = Person(found.user_id, name, is_admin=False)
            clients[found.user_id] = Jellyfin(
                server.url, identity=identity, token=found.token, user_id=found.user_id
            )
        running: list[Progress] = []

        def devices(_person: Person) -> Sequence[DeviceView]:
            return [DeviceView(STICK, "Car stick", "", None, None, 0, None, None)]

        buttons = DownloadStates(
            offline=FileIndex(world.db),
            downloads=world.downloads,
            devices=devices,
            running=lambda: running,
        )
        desk = LibraryBrowser(
            client=clients.__getitem__,
            buttons=buttons,
            covers=CoverCache(tmp_path / "covers"),
            clock=world.clock,
        )
        yield Home(world, server, desk, people["ann"], people["kid"], clients, running)


def test_a_track_s_button_follows_it_from_the_queue_to_the_device(home: Home) -> None:
    first, second, _ = home.tracks(home.find("First Light", Kind.ALBUM))
    assert home.button(second.id).state is ButtonState.AVAILABLE

    home.queued(first)
    queued = home.queued(second)
    waits = home.button(second.id)
    assert (waits.state, waits.place, waits.download_id) == (ButtonState.WAITING, 2, queued.id)

    home.claimed()
    running = home.claimed()
    home.running.append(Progress(running.id, 25, 100, 10.0, 7.5))
    runs = home.button(second.id)
    assert (runs.state, runs.progress) == (ButtonState.DOWNLOADING, 0.25)

    home.world.downloads.transitions.pause(running)
    assert home.button(second.id).state is ButtonState.PAUSED


def test_an_album_s_button_tells_how_much_of_it_is_here(home: Home) -> None:
    album = home.find("First Light", Kind.ALBUM)
    tracks = home.tracks(album)
    states = [home.button(album)]
    for one in tracks:
        home.arrived(one)
        states.append(home.button(album))

    assert [one.state for one in states] == [
        ButtonState.AVAILABLE,
        ButtonState.PARTLY,
        ButtonState.PARTLY,
        ButtonState.COMPLETED,
    ]
    assert [(one.done, one.total) for one in states] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert states[1].progress == pytest.approx(1 / 3)


def test_series_and_playlists_have_a_button_as_well(home: Home) -> None:
    series = home.find("The Signal", Kind.SERIES)
    playlist = home.desk.listed(home.ann, BrowseQuery(kinds=frozenset({Kind.PLAYLIST}))).items[0]
    home.queued(home.tracks(series)[0])
    for one in home.tracks(playlist.entry.item.id):
        home.arrived(one)

    waits = home.button(series)
    assert (waits.state, waits.place, waits.done, waits.total) == (ButtonState.WAITING, 1, 0, 4)
    assert home.button(playlist.entry.item.id).state is ButtonState.COMPLETED
    assert playlist.buttons is None


def test_a_list_has_the_buttons_of_tracks_and_albums(home: Home) -> None:
    album = home.find("First Light", Kind.ALBUM)
    first, *_ = home.tracks(album)
    home.arrived(first)

    tracks = home.desk.listed(home.ann, BrowseQuery(parent=album))
    albums = home.desk.listed(
        home.ann, BrowseQuery(text="first light", kinds=frozenset({Kind.ALBUM}))
    )

    assert [one.buttons and one.buttons[0].state for one in tracks.items] == [
        ButtonState.COMPLETED,
        ButtonState.AVAILABLE,
        ButtonState.AVAILABLE,
    ]
    (shown,) = albums.items
    assert shown.buttons is not None
    (button,) = shown.buttons
    assert (button.state, button.done, button.total) == (ButtonState.PARTLY, 1, 3)
    assert home.desk.listed(home.ann, BrowseQuery()).items[0].buttons is None


def test_a_button_tells_nothing_of_what_others_have(home: Home) -> None:
    film = home.find("Colour Bars", Kind.FILM)
    home.arrived(home.clients[home.ann.user_id].item(film))

    assert home.button(film).state is ButtonState.COMPLETED
    assert home.button(film, home.kid).state is ButtonState.AVAILABLE


def test_what_an_account_cannot_see_is_not_there(home: Home) -> None:
    album = home.find("First Light", Kind.ALBUM)
    track = home.tracks(album)[0].id

    for unknown in (album, track, "0" * 32):
        for ask in (
            lambda one=unknown: home.desk.show(home.kid, one),
            lambda one=unknown: home.desk.listed(home.kid, BrowseQuery(parent=one)),
            lambda one=unknown: home.desk.cover(home.kid, one, 96),
            lambda one=unknown: home.desk.heart(home.kid, one, value=True),
        ):
            with pytest.raises(NotVisible):
                ask()


def test_a_cover_is_fetched_once_and_shown_to_who_was_shown_its_item(home: Home) -> None:
    album = home.find("First Light", Kind.ALBUM)
    home.server.asked.clear()

    first = home.desk.cover(home.ann, album, 96)
    again = home.desk.cover(home.ann, album, 96)

    assert first == again
    assert first.body.startswith(b"Music/The Sine Waves/First Light")
    assert len(home.server.asked) == 1
    assert "token" not in home.server.asked[0].casefold()
    home.world.clock.advance(SEEN_FOR_S + 1)
    home.desk.cover(home.ann, album, 96)
    assert home.server.asked[1:] == [f"/Items/{album}"]
    with pytest.raises(NotVisible):
        home.desk.cover(home.ann, home.find("Colour Bars", Kind.FILM), 96)


def test_buttons_are_shown_anew_without_asking_jellyfin(home: Home) -> None:
    album = home.find("First Light", Kind.ALBUM)
    tracks = home.tracks(album)
    home.desk.show(home.ann, album)
    home.desk.listed(home.ann, BrowseQuery(parent=album))
    home.arrived(tracks[0])
    waits = home.queued(tracks[1])
    home.world.clock.advance(SEEN_FOR_S + 1)
    home.server.asked.clear()

    asked = [album, tracks[0].id, tracks[1].id, "0" * 32]
    shown = [one.buttons[0] for one in home.desk.again(home.ann, asked) if one.buttons]

    assert home.server.asked == []
    assert [one.state for one in shown] == [
        ButtonState.WAITING,
        ButtonState.COMPLETED,
        ButtonState.WAITING,
    ]
    assert shown[0].row == waits.id
    assert home.desk.again(home.kid, [album]) == []


def test_an_album_in_a_list_tells_that_it_is_on_its_way(home: Home) -> None:
    album = home.find("First Light", Kind.ALBUM)
    first, second, _ = home.tracks(album)
    home.arrived(first)
    waits = home.queued(second)

    page = home.desk.listed(
        home.ann, BrowseQuery(text="first light", kinds=frozenset({Kind.ALBUM}))
    )

    assert page.items[0].buttons is not None
    (button,) = page.items[0].buttons
    assert (button.state, button.row, button.done) == (ButtonState.WAITING, waits.id, 1)


def test_a_heart_goes_to_jellyfin(home: Home) -> None:
    track = home.tracks(home.find("First Light", Kind.ALBUM))[0].id

    pressed = home.desk.heart(home.ann, track, value=True)
    there = home.desk.show(home.ann, track).entry.item.is_favorite
    taken = home.desk.heart(home.ann, track, value=False)

    assert (pressed, there, taken) == (True, True, False)
    assert home.desk.show(home.ann, track).entry.item.is_favorite is False


def test_a_heart_that_another_client_has_set_is_not_taken_away_by_undo(home: Home) -> None:
    track = home.tracks(home.find("First Light", Kind.ALBUM))[0].id

    set_here = home.desk.mark_favourite(home.ann, track, value=True)
    was_set = home.desk.mark_favourite(home.ann, track, value=True)

    assert set_here is not None
    assert [one.is_favourite for one in set_here.marks] == [False]
    assert was_set is None


def test_while_jellyfin_is_away_that_is_said(home: Home) -> None:
    home.server.enter_phase(StartupPhase.LOADING)

    with pytest.raises(ServerAway):
        home.desk.listed(home.ann, BrowseQuery())
    with pytest.raises(ServerAway):
        home.desk.cover(home.ann, "1" * 32, 96)


def test_a_series_tells_what_the_account_watches_next(home: Home) -> None:
    series = home.find("The Signal", Kind.SERIES)
    first, second, *rest = home.tracks(series)
    marks = PlayStates(home.clients[home.ann.user_id])

    def next_up() -> tuple[str, float] | None:
        found = home.desk.next_up(home.ann, series)
        return (found.entry.item.id, found.entry.stopped_s) if found else None

    def unseen() -> list[int | None]:
        seasons = home.desk.listed(home.ann, BrowseQuery(parent=series)).items
        return [one.entry.unplayed for one in (home.desk.show(home.ann, series), *seasons)]

    assert (next_up(), unseen()) == ((first.id, 0.0), [4, 2, 2])
    marks.mark_played(first.id, datetime(2026, 11, 1, tzinfo=UTC))
    before = marks.state(second.id)
    marks.change(second.id, before, replace(before, position_s=90.0))
    assert (next_up(), unseen()) == ((second.id, 90.0), [3, 1, 2])
    for one in (second, *rest):
        marks.mark_played(one.id, datetime(2026, 11, 1, tzinfo=UTC))
    assert (next_up(), unseen()) == (None, [0, 0, 0])


def test_what_was_begun_is_continued_and_then_the_next_of_each_series(home: Home) -> None:
    first, second, *_ = home.tracks(home.find("The Signal", Kind.SERIES))
    marks = PlayStates(home.clients[home.ann.user_id])

    def continued() -> list[tuple[str, float]]:
        found = home.desk.continued(home.ann, 8)
        return [(one.entry.item.id, one.entry.stopped_s) for one in found]

    assert continued() == []
    marks.mark_played(first.id, datetime(2026, 11, 1, tzinfo=UTC))
    assert continued() == [(second.id, 0.0)]
    before = marks.state(second.id)
    marks.change(second.id, before, replace(before, position_s=90.0))
    assert continued() == [(second.id, 90.0)]
    [shown] = home.desk.continued(home.ann, 8)
    # Its episodes have no picture of their own.
    assert shown.entry.item.image_item_id == home.find("The Signal", Kind.SERIES)
    assert shown.entry.item.image_tag


def test_each_season_tells_how_much_of_it_is_here(home: Home) -> None:
    series = home.find("The Signal", Kind.SERIES)
    home.arrived(home.tracks(series)[0])
    home.desk.show(home.ann, series)

    seasons = home.desk.listed(home.ann, BrowseQuery(parent=series)).items

    assert [(one.buttons[0].done, one.buttons[0].total) for one in seasons if one.buttons] == [
        (1, 2),
        (0, 2),
    ]


def test_what_is_in_something_that_was_just_shown_is_one_request(home: Home) -> None:
    for kind, title in (("SERIES", "The Signal"), ("ALBUM", "First Light")):
        place = home.find(title, Kind[kind])
        home.desk.show(home.ann, place)
        home.server.asked.clear()

        listed = home.desk.listed(home.ann, BrowseQuery(parent=place))

        assert listed.items
        assert home.server.asked == ["/Items"]


def test_a_mark_on_an_episode_or_a_season_is_taken_back_as_it_was(home: Home) -> None:
    series = home.find("The Signal", Kind.SERIES)
    home.desk.show(home.ann, series)
    season = home.desk.listed(home.ann, BrowseQuery(parent=series)).items[0].entry.item.id
    first, second, *_ = (one.id for one in home.tracks(series))
    marks = PlayStates(home.clients[home.ann.user_id])
    marks.mark_played(first, datetime(2026, 11, 1, tzinfo=UTC))
    unseen = marks.state(second)
    marks.change(second, unseen, replace(unseen, position_s=90.0))
    before = marks.states([first, second])

    def marked() -> list[bool]:
        return [one.is_played for one in marks.states([first, second]).values()]

    for place in (second, season):
        reversal = home.desk.mark_played(home.ann, place, value=True)
        assert marked() == [True, True]
        assert reversal is not None
        home.desk.restore_marks(reversal.marks)
        assert marks.states([first, second]) == before
    reversal = home.desk.mark_played(home.ann, season, value=False)
    assert marked() == [False, False]
    assert reversal is not None
    home.desk.restore_marks(reversal.marks)

    assert marks.states([first, second]) == before
    [shown] = home.desk.again(home.ann, [season])
    assert shown.entry.unplayed == 1
    with pytest.raises(NotVisible):
        home.desk.mark_played(home.kid, second, value=True)


def test_an_artist_has_the_same_picture_in_the_list_and_on_their_page(home: Home) -> None:
    artists = BrowseQuery(kinds=frozenset({Kind.ARTIST}), page_size=100)
    listed = home.desk.listed(home.ann, artists).items
    pictures = {one.entry.item.id: one.entry.item.image_item_id for one in listed}
    assert set(pictures.values()) != {None}

    shown = [home.desk.show(home.ann, one).entry.item for one in pictures]

    assert {one.id: one.image_item_id for one in shown} == pictures


def test_what_is_played_since_it_was_marked_is_not_changed_by_undo(home: Home) -> None:
    first, second, *_ = (one.id for one in home.tracks(home.find("First Light", Kind.ALBUM)))
    marks = PlayStates(home.clients[home.ann.user_id])
    done = [home.desk.mark_played(home.ann, one, value=True) for one in (first, second)]
    reversal = merge_reversals(done)
    assert reversal is not None
    ticked = marks.state(first)
    marks.change(first, ticked, replace(ticked, position_s=90.0))

    assert home.desk.restore_marks(reversal.marks) == 1

    assert marks.state(first).position_s == 90.0
    assert not marks.state(second).is_played
