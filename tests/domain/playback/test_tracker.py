from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.playback.sessions import NowPlaying
from sidecar.domain.playback.tracker import EventKind, PlaybackEvent, Tracker
from tests.domain.playback.listeners import (
    SECONDS,
    Look,
    client,
    follow,
    look,
    moment,
    plays,
    silence,
    steadily,
)
from tests.fakes.clock import START


@dataclass(frozen=True)
class Case:
    """What is seen, and what a person would say was heard: item, seconds, whether it counts."""

    name: str
    looks: list[Look]
    heard: list[tuple[str, float, bool]]
    happened: str


CASES = [
    Case(
        "played to its end and stopped",
        [*steadily("A", start=0, stop=178), look(179)],
        [("A", 179, True)],
        "started ended",
    ),
    Case(
        "skipped after a few seconds",
        [*steadily("A", start=0, stop=6), *steadily("B", start=8, stop=20, entry="1"), look(21)],
        [("A", 8, False), ("B", 13, False)],
        "started ended moved-on ended",
    ),
    Case(
        "four minutes of something long",
        [*steadily("film", start=0, stop=240), look(241)],
        [("film", 241, True)],
        "started ended",
    ),
    Case(
        "half of something whose length nobody knows",
        [*steadily("radio", start=0, stop=238), look(239)],
        [("radio", 239, False)],
        "started ended",
    ),
    Case(
        "paused for an hour",
        [
            *steadily("A", start=0, stop=40),
            look(41, client("A", 41, reported=41, paused=True)),
            look(900, client("A", 41, reported=41, paused=True)),
            look(3600, client("A", 41, reported=41, paused=True)),
            look(3641, client("A", 41, reported=3641)),
            *steadily("A", start=3643, stop=3663, position=43),
            look(3664),
        ],
        [("A", 64, False)],
        "started paused resumed ended",
    ),
    Case(
        "paused, and stopped while paused",
        [
            *steadily("A", start=0, stop=100),
            look(101, client("A", 101, reported=101, paused=True)),
            look(500),
        ],
        [("A", 101, True)],
        "started paused ended",
    ),
    Case(
        "a pause between two looks is not heard",
        [look(0, client("A", 0)), look(60, client("A", 20, reported=60)), look(60.1)],
        [("A", 20, False)],
        "started ended",
    ),
    Case(
        "jumped to near the end",
        [
            *steadily("A", start=0, stop=10),
            *steadily("A", start=11, stop=31, position=150),
            look(31.1),
        ],
        [("A", 31, False)],
        "started seeked ended",
    ),
    Case(
        "jumped back and heard again",
        [
            *steadily("A", start=0, stop=100),
            *steadily("A", start=101, stop=131, position=20),
            look(131.1),
        ],
        [("A", 131, True)],
        "started seeked ended",
    ),
    Case(
        "jumped while paused",
        [
            look(0, client("A", 0)),
            look(10, client("A", 10, reported=10, paused=True)),
            look(20, client("A", 170, reported=20, paused=True)),
            look(30, client("A", 170, reported=30)),
            look(35, client("A", 175, reported=30)),
            look(35.1),
        ],
        [("A", 15, False)],
        "started paused seeked resumed ended",
    ),
    Case(
        "a report that corrects the server's guess is no jump",
        [
            look(0, client("A", 0)),
            look(10, client("A", 10)),
            look(10.1, client("A", 8, reported=10)),
            look(20, client("A", 18, reported=10)),
            look(20.1),
        ],
        [("A", 18, False)],
        "started ended",
    ),
    Case(
        "a client that stalls is not heard, whatever the server guesses",
        [
            *steadily("A", start=0, stop=50),
            *[
                look(52 + n, client("A", 50 + n % 10, reported=60 + n - n % 10))
                for n in range(0, 60, 2)
            ],
            *steadily("A", start=120, stop=140, position=52),
            look(140.1),
        ],
        [("A", 72, False)],
        "started ended",
    ),
    Case(
        "faster than real time: only time is heard",
        [look(10.0 * n, client("film", 15.0 * n, reported=n)) for n in range(31)] + [look(300.1)],
        [("film", 300, True)],
        "started" + " seeked" * 30 + " ended",
    ),
    Case(
        "a little faster than real time: no jump, and only time is heard",
        [look(10.0 * n, client("film", 12.0 * n, reported=n)) for n in range(24)] + [look(230.1)],
        [("film", 230, False)],
        "started ended",
    ),
    Case(
        "a jump back from near the end, long after a pause",
        [
            *steadily("A", start=0, stop=100),
            look(101, client("A", 101, reported=101, paused=True)),
            *steadily("A", start=3600, stop=3678, position=101),
            *steadily("A", start=3679, stop=3689, position=20),
            look(3689.1),
        ],
        [("A", 190, True)],
        "started paused resumed seeked ended",
    ),
    Case(
        "a client whose reports cannot be told apart, but it was paused meanwhile",
        [
            *[look(n, client("film", n)) for n in range(0, 101, 10)],
            look(101, client("film", 101, paused=True)),
            *[look(400 + n, client("film", 101 + n)) for n in range(0, 171, 10)],
            look(570.1),
        ],
        [("film", 271, True)],
        "started paused resumed ended",
    ),
    Case(
        "gapless: the next one starts without a stop",
        [
            *steadily("A", start=0, stop=179),
            *steadily("B", start=180, stop=380, entry="1"),
            look(380.5),
        ],
        [("A", 180, True), ("B", 200, True)],
        "started ended moved-on ended",
    ),
    Case(
        "gapless, looked at every ten seconds",
        [
            *steadily("A", start=0, stop=170, every=10),
            *steadily("B", start=186, stop=376, position=6, every=10, entry="1"),
            look(386),
        ],
        [("A", 180, True), ("B", 199, True)],
        "started ended moved-on ended",
    ),
    Case(
        "looked at every ten seconds, begun between two looks",
        [look(0), *steadily("A", start=10, stop=150, position=7, every=10), look(151)],
        [("A", 148, True)],
        "started ended",
    ),
    Case(
        "resumed where it was left yesterday",
        [look(0), *steadily("film", start=3600, stop=3660, position=3000), look(3660.1)],
        [("film", 60, False)],
        "started ended",
    ),
    Case(
        "found playing at the first look",
        [*steadily("A", start=0, stop=20, position=150), look(20.1)],
        [("A", 20, False)],
        "started ended",
    ),
    Case(
        "repeat one: the same entry from the start again",
        [
            *steadily("C", start=0, stop=28),
            *steadily("C", start=30, stop=58),
            *steadily("C", start=60, stop=80),
            look(80.1),
        ],
        [("C", 30, True), ("C", 30, True), ("C", 20, True)],
        "started ended moved-on ended moved-on ended",
    ),
    Case(
        "repeat one told by a client that reports every 150 s",
        [
            *steadily("A", start=0, stop=180, reports_every=150),
            *[look(180 + n, client("A", 180, reported=150)) for n in range(2, 120, 2)],
            *steadily("A", start=300, stop=320, position=120),
            look(320.1),
        ],
        # What was played of the second round before it was told is more than may be guessed.
        [("A", 180, True), ("A", 20, False)],
        "started ended moved-on ended",
    ),
    Case(
        "back to the start by hand is no other play",
        [
            *steadily("A", start=0, stop=60),
            *steadily("A", start=61, stop=91),
            look(91.1),
        ],
        [("A", 91, True)],
        "started seeked ended",
    ),
    Case(
        "the same track twice in the queue",
        [
            *steadily("C", start=0, stop=28, entry="7"),
            *steadily("C", start=30, stop=58, entry="8"),
            look(60),
        ],
        [("C", 30, True), ("C", 30, True)],
        "started ended moved-on ended",
    ),
    Case(
        "the same track twice in the queue, the first skipped",
        [
            *steadily("A", start=0, stop=10, entry="7"),
            *steadily("A", start=11, stop=31, entry="8"),
            look(31.1),
        ],
        [("A", 11, False), ("A", 20, False)],
        "started ended moved-on ended",
    ),
    Case(
        "the queue's entries are named anew while it plays",
        [
            *steadily("A", start=0, stop=50, entry="7"),
            *steadily("A", start=52, stop=100, position=52, entry="19"),
            look(100.1),
        ],
        [("A", 100, True)],
        "started ended",
    ),
    Case(
        "the web client stops twice: at its full length, then at 0",
        [
            *steadily("C", start=0, stop=28),
            look(30, client("C", 30, reported=30)),
            look(30.005, client("C", 0, reported=31)),
            look(30.01),
            look(30.02),
            look(30.3, client("B", 0, reported=32, entry="1")),
            look(34.3, client("B", 4, reported=32, entry="1")),
            look(34.3),
        ],
        [("C", 30, True), ("C", 0, False), ("B", 4, False)],
        "started ended moved-on ended started ended",
    ),
    Case(
        "a client vanishes: it ends at its last report, and only once",
        [
            *steadily("A", start=0, stop=40),
            *[look(40 + n, client("A", min(180, 40 + n), reported=40)) for n in range(2, 400, 2)],
            look(450),
        ],
        [("A", 40, False)],
        "started ended",
    ),
    Case(
        "a client vanishes, and the server with it",
        [*steadily("A", start=0, stop=47), silence(100), silence(227)],
        [("A", 40, False)],
        "started ended",
    ),
    Case(
        "a client that reports every 150 s has not vanished",
        [*steadily("film", start=0, stop=600, reports_every=150), look(600.1)],
        [("film", 600, True)],
        "started ended",
    ),
    Case(
        "a client that was away for long and played on",
        [
            *steadily("film", start=0, stop=40),
            *[look(40 + n, client("film", 40 + n, reported=40)) for n in range(10, 300, 10)],
            *steadily("film", start=340, stop=400, position=341),
            look(400.1),
        ],
        [("film", 40, False), ("film", 401, True)],
        "started ended started ended",
    ),
    Case(
        "the session goes at once when its browser is closed",
        [*steadily("A", start=0, stop=6), look(7.5)],
        [("A", 7.5, False)],
        "started ended",
    ),
    Case(
        "nothing is told for a minute, and it has played on",
        [
            *steadily("A", start=0, stop=40),
            silence(60),
            *steadily("A", start=100, stop=140, position=100),
            look(140.1),
        ],
        [("A", 140, True)],
        "started ended",
    ),
    Case(
        "nothing is told for a minute, and it is over",
        [*steadily("A", start=0, stop=40), look(100)],
        [("A", 43, False)],
        "started ended",
    ),
    Case(
        "two devices of one user, the same track",
        [
            look(
                second,
                client("A", second, reported=second, session="phone"),
                client("A", second / 2, reported=second, session="tv", paused=second > 0),
            )
            for second in range(0, 101, 2)
        ]
        + [look(100.1)],
        [("A", 100, True), ("A", 0, False)],
        "started started paused ended ended",
    ),
    Case(
        "what belongs to nobody is nobody's play",
        [*steadily("A", start=0, stop=100, user=None), look(101)],
        [],
        "",
    ),
    Case(
        "another user at the same client",
        [
            *steadily("A", start=0, stop=20, user="b" * 32),
            *steadily("A", start=22, stop=122, position=22),
            look(122.1),
        ],
        [("A", 22, False), ("A", 100, True)],
        "started ended moved-on ended",
    ),
    Case(
        "the next one comes after long silence: the guess is not believed",
        [*steadily("film", start=0, stop=40), look(400, client("B", 0, reported=9, entry="1"))],
        [("film", 40, False)],
        "started ended moved-on",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[one.name for one in CASES])
def test_what_was_heard_is_what_a_person_would_say(case: Case) -> None:
    events = follow(case.looks)

    told = [(one.item_id, one.seconds_heard, one.counts) for one in plays(events)]
    assert [(name, counts) for name, _, counts in told] == [
        (name, counts) for name, _, counts in case.heard
    ]
    assert [seconds for _, seconds, _ in told] == pytest.approx(
        [seconds for _, seconds, _ in case.heard], abs=1.1
    )
    assert " ".join(one.what.replace(" ", "-") for one in events) == case.happened


def test_a_play_says_who_heard_what_where_and_when() -> None:
    (play,) = plays(follow([*steadily("A", start=5, stop=105), look(105)]))

    assert (play.user_id, play.title, play.album_id, play.run_time) == ("a" * 32, "A", "album", 180)
    assert (play.client, play.device_name) == ("Finamp", "Phone")
    assert play.started_at == START + timedelta(seconds=5)
    assert play.ended_at == START + timedelta(seconds=105)


def test_what_plays_now_can_be_asked() -> None:
    tracker = Tracker()
    follow(steadily("A", start=0, stop=20), tracker)

    (current,) = tracker.current(moment(20))

    assert (current.playing.item.id, current.heard_s) == ("A", 20)
    assert tracker.close()
    assert tracker.current(moment(21)) == []


@pytest.mark.parametrize(("gap", "shown"), [(0.5, ["A"]), (2.0, ["A"]), (3.9, ["A"]), (4.0, [])])
def test_between_two_tracks_the_last_one_is_still_shown(gap: float, shown: list[str]) -> None:
    tracker = Tracker()
    follow([*steadily("A", start=0, stop=20), look(20)], tracker)

    assert [one.playing.item.id for one in tracker.shown(moment(20 + gap))] == shown
    assert tracker.current(moment(20 + gap)) == []

    follow([look(25, client("B", 0, reported=25))], tracker)
    assert [one.playing.item.id for one in tracker.shown(moment(25))] == ["B"]


def test_a_client_without_a_word_says_since_when() -> None:
    tracker = Tracker()
    follow(steadily("A", start=0, stop=40, reports_every=10), tracker)
    told = replace(client("A", 42, reported=40), position_s=42)

    for second in (42, 70, 70.5):
        follow([look(second, replace(told, position_s=second))], tracker)
        (current,) = tracker.current(moment(second))
        since = None if second <= 70 else moment(40).at
        assert current.silent_since == since

    follow([look(80, replace(told, position_s=70, is_paused=True))], tracker)
    follow([look(160, replace(told, position_s=70, is_paused=True))], tracker)
    (paused,) = tracker.current(moment(160))
    assert paused.silent_since is None


def test_at_our_end_a_play_ends_at_the_last_report_and_goes_on_after_our_start() -> None:
    first = Tracker()
    follow(steadily("A", start=0, stop=47), first)
    (left,) = plays(first.close())
    assert left.seconds_heard == 40

    second = Tracker([left])
    (play,) = plays(follow([*steadily("A", start=60, stop=120, position=60), look(120.1)], second))

    assert play.seconds_heard == pytest.approx(120, abs=0.2)
    assert play.started_at == left.started_at


def test_a_client_that_loses_its_connection_for_a_moment_hears_one_play() -> None:
    blinks = [
        *steadily("A", start=0, stop=60),
        look(61),
        *steadily("A", start=70, stop=100, position=70),
    ]

    first, second = plays(follow([*blinks, look(100.1)]))

    assert (first.started_at, first.counts) == (second.started_at, False)
    assert second.seconds_heard == pytest.approx(100, abs=0.2)


def test_what_is_resumed_soon_where_it_was_stopped_is_one_play() -> None:
    stops = [*steadily("film", start=0, stop=60), look(60)]

    first, second = plays(
        follow([*stops, *steadily("film", start=300, stop=330, position=58), look(330.1)])
    )

    assert first.started_at == second.started_at
    assert second.seconds_heard == pytest.approx(90, abs=3)


def test_the_same_track_begun_again_while_we_were_away_is_another_play() -> None:
    first = Tracker()
    follow(steadily("A", start=0, stop=100), first)
    (left,) = plays(first.close())

    (play,) = plays(follow([*steadily("A", start=120, stop=150), look(150.1)], Tracker([left])))

    assert play.seconds_heard == pytest.approx(30, abs=0.2)
    assert play.started_at > left.started_at


def test_after_a_long_absence_it_is_another_listening() -> None:
    first = Tracker()
    follow(steadily("film", start=0, stop=100), first)
    (left,) = plays(first.close())

    later = steadily("film", start=4000, stop=4030, position=4000)
    (play,) = plays(follow([*later, look(4030.1)], Tracker([left])))

    assert play.seconds_heard == pytest.approx(30, abs=0.2)


def test_a_wall_clock_that_jumps_changes_nothing_that_is_heard() -> None:
    tracker = Tracker()
    heard = []
    for one in [*steadily("A", start=0, stop=100), look(100.1)]:
        now = moment(one.second)
        now = replace(now, at=now.at - timedelta(days=400)) if one.second > 50 else now
        heard += plays(tracker.take(one.playing, now))

    assert heard[0].seconds_heard == pytest.approx(100, abs=0.2)
    assert heard[0].ended_at >= heard[0].started_at


NAMES = st.sampled_from(sorted(SECONDS))
PLAYING = st.builds(
    client,
    NAMES,
    st.floats(0, 6000),
    reported=st.integers(0, 3),
    entry=st.sampled_from(["0", "1", None]),
    paused=st.booleans(),
    session=st.sampled_from("st"),
    user=st.sampled_from(["a" * 32, "b" * 32, None]),
)
NEAR = st.builds(
    client,
    st.just("C"),
    st.floats(0, 30),
    reported=st.integers(0, 3),
    session=st.sampled_from("st"),
)
STEPS = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 15), st.floats(0, 4000)),
        st.lists(st.one_of(PLAYING, NEAR), max_size=3),
        st.booleans(),
    ),
    max_size=30,
)


@given(steps=STEPS)
def test_whatever_is_seen_in_whatever_order_no_second_is_heard_that_did_not_pass(
    steps: list[tuple[float, list[NowPlaying], bool]],
) -> None:
    tracker, second, events = Tracker(), 0.0, list[PlaybackEvent]()
    for passed, playing, told in steps:
        second += passed
        now = moment(second)
        events += tracker.take(playing, now) if told else tracker.tick(now)
        for one in tracker.current(now):
            assert 0 <= one.heard_s <= (now.at - one.started_at).total_seconds() + 1e-3
    events += tracker.close()

    running: set[str] = set()
    heard: dict[tuple[str, object, str], float] = {}
    for event in events:
        session = event.playing.session_id
        if event.what in {EventKind.STARTED, EventKind.MOVED_ON}:
            assert session not in running
            running.add(session)
        elif event.what is EventKind.ENDED:
            running.remove(session)
            play = event.play
            assert play is not None
            assert play.seconds_heard >= 0
            assert play.seconds_heard <= (play.ended_at - play.started_at).total_seconds() + 1e-3
            # One that goes on after all takes the place of what was known of it.
            heard[session, play.started_at, play.item_id] = play.seconds_heard
        else:
            assert session in running
    assert not running
    for session in "st":
        assert sum(s for key, s in heard.items() if key[0] == session) <= second + 1e-3


@given(steps=STEPS)
def test_what_is_told_again_at_the_same_moment_changes_nothing(
    steps: list[tuple[float, list[NowPlaying], bool]],
) -> None:
    once, twice, second = Tracker(), Tracker(), 0.0
    for passed, playing, _ in steps:
        second += passed
        first = once.take(playing, moment(second))
        assert twice.take(playing, moment(second)) == first
        assert twice.take(playing, moment(second)) == []
