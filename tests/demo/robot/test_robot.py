"""The robot listener, told apart by what it reports to a server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from threading import Event, Thread

import pytest

from sidecar.demo.robot.client import PlayerSignInRefused
from sidecar.demo.robot.robot import Habits, Robot
from tests.fakes.servers.listened_to import TICKS, ListenedTo
from tests.patience import PATIENCE_S

PLACID = Habits(skip=0, pause=0, press_heart=0, take_heart_away=0, have_enough=0)


@pytest.fixture
def server() -> Iterator[ListenedTo]:
    fake = ListenedTo(albums={"album": [24.0, 12.0]})
    with fake.running():
        yield fake


def chance(seed: int = 1) -> Random:
    return Random(seed)


@dataclass
class Hire:
    """Hires robots of ann's, and sends them home at the end."""

    url: str
    robots: list[Robot] = field(default_factory=list)

    def __call__(
        self,
        habits: Habits = PLACID,
        *,
        user: str = "ann",
        password: str = "pw",
        seed: int = 1,
        pace: float = 1.0,
        wait: Callable[[Event, float], bool] = Event.wait,
    ) -> Robot:
        robot = Robot(
            self.url,
            user=user,
            password=password,
            chance=chance(seed),
            wait=wait,
            pace=pace,
            habits=habits,
        )
        self.robots.append(robot)
        return robot


@pytest.fixture
def hire(server: ListenedTo) -> Iterator[Hire]:
    hired = Hire(server.url)
    yield hired
    for robot in hired.robots:
        robot.sign_off()


def steps_until(robot: Robot, is_over: Callable[[], bool]) -> list[float]:
    """Step until something is over, and return what the robot wanted to wait after each step."""
    waits: list[float] = []
    while not is_over():
        waits.append(robot.step())
        assert len(waits) < 200, "the robot never got there"
    return waits


def stops(server: ListenedTo) -> int:
    return sum(kind == "Stopped" for kind, _ in server.reports())


def story(server: ListenedTo) -> list[tuple[str, float]]:
    """Return each report as its kind or event, and its position in seconds."""
    return [
        (body.get("EventName", kind), body["PositionTicks"] / TICKS)
        for kind, body in server.reports()
    ]


def test_it_plays_an_album_to_its_end_as_the_web_client_does(
    server: ListenedTo, hire: Hire
) -> None:
    waits = steps_until(hire(), lambda: stops(server) == 4)

    assert story(server) == [
        ("Playing", 0.0),
        ("timeupdate", 0.25),
        ("timeupdate", 10.25),
        ("timeupdate", 20.25),
        ("Stopped", 24.0),
        ("Stopped", 0.0),
        ("Playing", 0.0),
        ("timeupdate", 0.25),
        ("timeupdate", 10.25),
        ("Stopped", 12.0),
        ("Stopped", 0.0),
    ]
    assert waits[:4] == [0.25, 10.0, 10.0, 3.75]


def test_every_start_and_stop_carries_the_whole_queue_and_progress_never_does(
    server: ListenedTo, hire: Hire
) -> None:
    steps_until(hire(), lambda: stops(server) == 4)

    queue = [
        {"Id": "album-1", "PlaylistItemId": "playlistItem0"},
        {"Id": "album-2", "PlaylistItemId": "playlistItem1"},
    ]
    for kind, body in server.reports():
        assert body.get("NowPlayingQueue") == (None if kind == "Progress" else queue)
        assert {"Id": body["ItemId"], "PlaylistItemId": body["PlaylistItemId"]} in queue


def test_a_second_album_gets_queue_entries_of_its_own(server: ListenedTo, hire: Hire) -> None:
    steps_until(hire(), lambda: stops(server) == 8)

    entries = {(body["PlaylistItemId"], body["PlaySessionId"]) for _, body in server.reports()}
    assert sorted(entries) == [(f"playlistItem{n}", str(n + 1)) for n in range(4)]


def test_it_does_not_play_the_same_album_twice_in_a_row(server: ListenedTo, hire: Hire) -> None:
    server.albums = {"one": [5.0], "two": [5.0], "three": [5.0]}

    steps_until(hire(), lambda: stops(server) == 24)

    played = [body["ItemId"] for kind, body in server.reports() if kind == "Playing"]
    assert all(was != now for was, now in pairwise(played))


def test_a_skipped_track_is_stopped_once_before_its_end(server: ListenedTo, hire: Hire) -> None:
    steps_until(hire(replace(PLACID, skip=1)), lambda: stops(server) == 2)

    (_, first), (_, second) = (one for one in story(server) if one[0] == "Stopped")
    assert 2.0 <= first < 24.0
    assert 2.0 <= second < 12.0


def test_a_pause_holds_the_position_while_time_goes_on(server: ListenedTo, hire: Hire) -> None:
    waits = steps_until(hire(replace(PLACID, pause=1)), lambda: stops(server) == 2)

    told = story(server)
    at = next(n for n, (kind, _) in enumerate(told) if kind == "pause")
    assert told[at + 1] == ("unpause", told[at][1])
    assert [body["IsPaused"] for _, body in server.reports()[at : at + 2]] == [True, False]
    assert 27.0 <= sum(waits[:-1]) <= 32.0


def test_it_presses_a_heart_while_the_track_plays(server: ListenedTo, hire: Hire) -> None:
    steps_until(hire(replace(PLACID, press_heart=1)), lambda: stops(server) == 2)

    assert server.hearts == {"album", "album-1"}
    paths = [request.path for request in server.requests]
    assert paths.index("/UserFavoriteItems/album-1") > paths.index("/Sessions/Playing")


def test_it_takes_a_heart_away_again(server: ListenedTo, hire: Hire) -> None:
    server.hearts = {"album-1", "album-2"}

    steps_until(hire(replace(PLACID, take_heart_away=1)), lambda: stops(server) == 2)

    assert server.hearts == {"album-2"}


def test_it_leaves_an_album_when_it_has_had_enough(server: ListenedTo, hire: Hire) -> None:
    steps_until(hire(replace(PLACID, have_enough=1)), lambda: stops(server) == 6)

    played = {body["ItemId"] for _, body in server.reports()}
    assert played == {"album-1"}


def test_it_does_not_sit_through_a_very_long_track(server: ListenedTo, hire: Hire) -> None:
    server.albums = {"storm": [3600.0]}

    steps_until(hire(), lambda: stops(server) == 1)

    assert story(server)[-1][1] <= 90.0


def test_it_waits_politely_where_there_is_nothing_to_play(server: ListenedTo, hire: Hire) -> None:
    server.albums = {}
    robot = hire()

    assert all(robot.step() >= 4.0 for _ in range(5))


def test_its_names_are_percent_encoded_and_its_token_is_only_in_the_header(
    server: ListenedTo, hire: Hire
) -> None:
    server.token = "token-1"
    hire(user="zoë m").step()

    known = (
        'MediaBrowser Client="Demo%20player", Device="Kitchen%20radio", Version="1.0", '
        'DeviceId="demo-robot-zo%C3%AB%20m"'
    )
    signing_in, *later = server.requests
    assert signing_in.authorization == known
    assert {one.authorization for one in later} == {f'{known}, Token="token-1"'}
    assert not any("token" in str(one.query) or "token" in str(one.body) for one in later)


@pytest.mark.parametrize("trouble", [502, 404, 302])
def test_it_tries_again_ever_more_slowly_while_the_server_is_odd(
    server: ListenedTo, hire: Hire, trouble: int
) -> None:
    server.trouble = (trouble, {}, b"<html>")
    robot = hire()

    assert [robot.step() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_it_carries_its_token_nowhere_else(server: ListenedTo, hire: Hire) -> None:
    robot = hire()
    server.trouble = (307, {"Location": f"{server.url}/elsewhere"}, b"")

    robot.step()

    assert [request.path for request in server.requests] == ["/Users/AuthenticateByName"]


def test_a_starting_server_is_given_the_time_it_asks_for(server: ListenedTo, hire: Hire) -> None:
    server.trouble = (503, {"Retry-After": "005"}, b"")

    assert hire().step() == 5.0


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"User": 1}', b'{"Items": [1]}'])
def test_an_answer_that_is_not_jellyfins_is_no_reason_to_die(
    server: ListenedTo, hire: Hire, body: bytes
) -> None:
    robot = hire()
    server.trouble = (200, {}, body)

    assert robot.step() == 1.0
    server.trouble = None
    robot.step()
    assert story(server) == [("Playing", 0.0)]


def test_it_comes_back_after_the_server_was_restarted() -> None:
    server = ListenedTo(albums={"album": [24.0]})
    with server.running():
        robot = Robot(server.url, user="ann", password="pw", chance=chance(), habits=PLACID)
        robot.step()
    assert [robot.step() for _ in range(2)] == [1.0, 2.0]

    with server.running():
        robot.step()
        assert story(server) == [("Playing", 0.0), ("Playing", 0.0)]
        robot.step()
        server.trouble = (502, {}, b"")
        assert robot.step() == 1.0, "one good answer makes it forget how long it waited"
        server.trouble = None
        robot.sign_off()

    signed_in = [one for one in server.requests if one.path == "/Users/AuthenticateByName"]
    assert len(signed_in) == 1, "its token was still good"


def test_it_signs_in_again_when_its_token_is_revoked(server: ListenedTo, hire: Hire) -> None:
    robot = hire()
    robot.step()
    server.token = "token-2"

    assert robot.step() == 1.0
    robot.step()

    assert 'Token="token-2"' in server.requests[-1].authorization
    assert story(server)[-1] == ("Playing", 0.0)


def test_a_wrong_password_is_tried_once(server: ListenedTo, hire: Hire) -> None:
    with pytest.raises(PlayerSignInRefused, match="does not let ann in"):
        hire(password="wrong").step()

    hire(password="wrong").run(Event())

    assert len(server.requests) == 2


def test_leaving_stops_what_is_playing(server: ListenedTo, hire: Hire) -> None:
    robot = hire()
    steps_until(robot, lambda: len(story(server)) == 3)

    robot.sign_off()
    robot.sign_off()

    assert story(server)[-1] == ("Stopped", 10.25)
    assert stops(server) == 1


def test_it_runs_until_it_is_told_to_stop(server: ListenedTo, hire: Hire) -> None:
    waited: list[float] = []

    def wait(stop: Event, seconds: float) -> bool:
        waited.append(seconds)
        if len(waited) == 4:
            stop.set()
        return stop.is_set()

    thread = Thread(target=hire(wait=wait, pace=10.0).run, args=(Event(),), name="robot")
    thread.start()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert waited == pytest.approx([0.025, 1.0, 1.0, 0.375])
    assert story(server)[-1] == ("Stopped", 20.25)


def test_the_same_chance_makes_the_same_evening(server: ListenedTo, hire: Hire) -> None:
    server.albums = {"one": [20.0, 30.0, 40.0], "two": [15.0, 25.0]}
    evenings: list[list[tuple[str, float]]] = []
    for _ in range(2):
        server.requests.clear()
        server.hearts.clear()
        robot = hire(Habits(), seed=7)
        for _ in range(60):
            robot.step()
        evenings.append(story(server))

    assert evenings[0] == evenings[1]
