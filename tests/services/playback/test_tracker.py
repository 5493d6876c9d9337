from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest

from sidecar.domain.downloads.download import Download
from sidecar.domain.playback.plays import Play
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.process.threads import LONGEST_REST_S
from sidecar.services.playback.tracker import IDLE_S, RETRY_S, SAVED_EVERY_S, PlaybackTracker
from sidecar.store.downloads.insert import FilePlace, NewDownload
from sidecar.store.playback.plays import Plays
from tests.domain.playback.listeners import client
from tests.patience import PATIENCE_S
from tests.services.conftest import ANN, STICK, World, track

BEN = "b" * 32


@dataclass
class Room:
    """A watching with its clock, and what it told."""

    world: World
    plays: Plays
    said: list[Play] = field(default_factory=list)
    watching: PlaybackTracker = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.watching = PlaybackTracker(
            self.plays, self.world.downloads, on_play=self.said.append, clock=self.world.clock
        )

    def hear(
        self, seconds: int, *, start: int = 0, account: str = ANN, told: str = ANN
    ) -> NowPlaying:
        """Tell an account's connection of somebody who plays the film for so long."""
        for second in range(start, start + seconds + 1, 5):
            playing = client("film", second, reported=second, user=told)
            self.watching.tell(account, [playing])
            if second < start + seconds:
                self.world.clock.advance(5)
        return playing

    def stop(self, account: str = ANN) -> None:
        self.watching.tell(account, [])
        self.watching.tick()

    def kept(self, user_id: str = ANN) -> list[tuple[float, bool]]:
        """Return what is listed: seconds heard, and whether it counts."""
        listed, _ = self.plays.page(user_id, 1, 100)
        return [(one.play.seconds_heard, one.play.counts) for one in listed]


@pytest.fixture
def room(world: World) -> Iterator[Room]:
    made = Room(world, Plays(world.db))
    yield made
    made.watching.end()


def test_what_was_heard_is_kept_and_told(room: Room) -> None:
    room.hear(300)
    assert room.kept() == []

    room.stop()

    assert room.kept() == [(300.0, True)]
    assert [one.seconds_heard for one in room.said] == [300.0]


def test_an_admin_s_connection_tells_everybody_and_is_believed_for_the_admin_alone(
    room: Room,
) -> None:
    for second in range(0, 301, 5):
        everybody = [
            client("film", second, reported=second, session="anns"),
            client("film", second, reported=second, session="bens", user=BEN),
        ]
        room.watching.tell(BEN, everybody)
        room.watching.tell(ANN, everybody[:1])
        room.world.clock.advance(5)
    assert [one.session_id for one in room.watching.now(ANN)] == ["anns"]
    assert len(room.watching.now()) == 2

    room.stop()
    room.stop(BEN)

    assert [one.user_id for one in room.said] == [ANN]
    assert len(room.kept()) == 1


def test_a_play_that_counts_makes_its_file_the_last_used(room: Room) -> None:
    files = [
        room.world.downloads.queue.add_all(
            [
                NewDownload(
                    item=track(1, id=name),
                    device_id=STICK,
                    user_id=ANN,
                    places=[FilePlace(name, name)],
                    priority=0,
                )
            ]
        )[0]
        for name in ("film", "other")
    ]
    room.hear(100)
    room.stop()
    assert used(room.world, *files) == [0, 0]

    room.hear(300)
    room.stop()

    assert used(room.world, *files) == [1, 0]


def used(world: World, *rows: Download) -> list[int]:
    return [found.last_used_seq for row in rows if (found := world.downloads.queries.get(row.id))]


def test_a_client_that_vanished_ends_without_another_word(room: Room) -> None:
    room.hear(250)
    room.world.clock.advance(200)

    room.watching.tick()

    assert room.kept() == [(250.0, True)]
    assert room.watching.now() == ()


def test_who_is_signed_out_has_heard_what_was_reported(room: Room) -> None:
    room.hear(100)

    room.watching.leave(ANN)
    room.watching.leave(ANN)
    room.watching.tick()

    assert room.kept() == [(100.0, False)]


def test_a_play_goes_on_over_a_restart_and_is_one_play(room: Room) -> None:
    room.hear(150)
    room.watching.end()
    assert room.kept() == [(150.0, False)]
    room.world.clock.advance(20)

    room.begin()
    room.hear(130, start=170)
    room.stop()

    assert room.kept() == [(300.0, True)]


def test_a_play_survives_a_sudden_death_but_for_its_last_minute(room: Room) -> None:
    for start in range(0, 300, 60):
        room.hear(60, start=start)
        room.watching.tick()
    room.hear(30, start=300)

    room.begin()

    assert room.kept() == [(300.0, True)]
    assert room.said == []
    room.hear(30, start=330)
    room.stop()
    assert room.kept() == [(360.0, True)]


def test_what_nobody_heard_is_not_kept(room: Room) -> None:
    room.hear(0)

    room.stop()

    assert (room.kept(), room.said) == ([], [])


def test_after_the_end_nothing_is_begun(room: Room) -> None:
    room.watching.end()

    room.hear(300)
    room.stop()

    assert room.kept() == []


def test_a_listener_that_fails_costs_no_play(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Play) -> None:
        raise ValueError("a bug elsewhere")

    room.watching = PlaybackTracker(
        room.plays, room.world.downloads, on_play=fail, clock=room.world.clock
    )
    for _ in range(2):
        room.hear(300)
        room.stop()

    assert len(room.kept()) == 2
    assert "a bug elsewhere" in caplog.text


def test_plays_wait_for_a_database_that_cannot_be_written(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.world.db.dialect.writer.execute_sql("PRAGMA query_only = ON")
    room.hear(300)
    room.stop()
    assert "waits to be saved" in caplog.text
    room.world.db.dialect.writer.execute_sql("PRAGMA query_only = OFF")

    room.watching.tick()
    assert room.kept() == []
    room.world.clock.advance(RETRY_S)
    room.watching.tick()

    assert room.kept() == [(300.0, True)]


def test_it_runs_until_it_is_stopped_and_saves_what_still_plays(room: Room) -> None:
    stop = Event()

    def body() -> None:
        with room.world.db.thread():
            room.watching.run(stop)

    thread = Thread(target=body, name="watching")
    thread.start()
    room.hear(120)
    stop.set()
    room.watching.wakeup.end()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert room.kept() == [(120.0, False)]
    assert SAVED_EVERY_S < 120


def test_it_rests_while_nothing_plays_and_is_woken_by_what_does(room: Room) -> None:
    rings = room.watching.wakeup.rings
    room.watching.tell(ANN, [])
    assert room.watching.rest_s() == LONGEST_REST_S
    assert room.watching.wakeup.rings == rings

    room.hear(300)
    assert room.watching.rest_s() == IDLE_S
    assert room.watching.wakeup.rings > rings

    room.stop()
    assert room.watching.rest_s() == LONGEST_REST_S


def test_it_looks_often_while_a_play_waits_to_be_saved(room: Room) -> None:
    room.world.db.dialect.writer.execute_sql("PRAGMA query_only = ON")
    room.hear(300)
    room.stop()
    room.world.db.dialect.writer.execute_sql("PRAGMA query_only = OFF")

    assert room.watching.rest_s() == IDLE_S
