"""A person's clicks in the real web client, and what is made of what the server told of them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sidecar.domain.playback.tracker import EventKind, Moment, PlaybackEvent, Tracker
from sidecar.jellyfin.live.events import SessionsNews, UserDataChanged, decode
from tests.fakes.clock import START
from tests.jellyfin.recorded import recording

# The note it begins with, the note it ends with (None: nobody pressed anything), what was heard,
# for how long by the client's own reports, and whether that counts.
BY_THE_NOTES = [
    # Paused for six seconds on the way; 12.8 of 27 seconds.
    ("press Play on the album", "press next", "Tone 1", 12.8, False),
    # Hearted, shuffled, set to repeat and back; all 34 seconds, stopped twice by the client.
    ("press next", None, "Tone 2", 34.0, True),
    # The next one in the shuffled order, by itself: 56 of 83 seconds.
    ("let the track run to its end", "press next twice fast", "Tone 9", 56.0, True),
    # The first of the two presses leads here, the second away again.
    ("press next twice fast", "press next twice fast", "Tone 5", 0.3, False),
    # 7.9 seconds, then from 80 % on another 10.9.
    (
        "press next twice fast",
        "play the third track from the list, replacing the queue",
        "Tone 6",
        18.8,
        False,
    ),
    # Pressed twice: the client begins the track, and begins it again a second later.
    (
        "play the third track from the list, replacing the queue",
        "play the third track from the list, replacing the queue",
        "Tone 3",
        1.05,
        False,
    ),
    (
        "play the third track from the list, replacing the queue",
        "a film: press Play",
        "Tone 3",
        12.7,
        False,
    ),
    # 11.6 of 45 seconds, which Jellyfin calls played.
    ("a film: press Play", "leave the film (back)", "Colour Bars (1995)", 11.6, False),
    # 7.6 seconds until the browser is gone, without a report of its end.
    (
        "play the album again and close the browser without stopping",
        "close",
        "Tone 1",
        7.6,
        False,
    ),
]


def replay() -> list[tuple[float, PlaybackEvent]]:
    tracker, events = Tracker(), []
    for one in recording("12.0", "web-client"):
        if "frame" not in one:
            continue
        told = decode(json.dumps(one["frame"]).encode(), own_device="sidecar-ann")
        if isinstance(told, SessionsNews):
            now = Moment(START + timedelta(seconds=one["t"]), one["t"])
            events += [(one["t"], event) for event in tracker.take(told.playing, now)]
    assert tracker.close() == []
    return events


def last_note(second: float) -> str:
    notes = [one for one in recording("12.0", "web-client") if "note" in one]
    said: str = [one["note"] for one in notes if one["t"] <= second][-1]
    return said


def test_the_plays_are_those_that_a_person_names_by_the_notes() -> None:
    plays = [event.play for _, event in replay() if event.play is not None]

    assert [(one.title, one.counts) for one in plays] == [
        (title, counts) for _, _, title, _, counts in BY_THE_NOTES
    ]
    # The film's end is told a second and a half after it was left.
    assert [one.seconds_heard for one in plays] == pytest.approx(
        [heard for _, _, _, heard, _ in BY_THE_NOTES], abs=1.6
    )


def test_each_play_begins_and_ends_with_what_was_pressed() -> None:
    events = replay()
    starts = [
        second for second, one in events if one.what in {EventKind.STARTED, EventKind.MOVED_ON}
    ]
    ends = [second for second, one in events if one.what is EventKind.ENDED]

    assert [last_note(second) for second in starts] == [begin for begin, *_ in BY_THE_NOTES]
    assert [last_note(second) for second in ends] == [
        end or "let the track run to its end" for _, end, *_ in BY_THE_NOTES
    ]


def test_the_pause_and_the_jump_of_the_notes_are_seen_and_no_others() -> None:
    seen = [
        (one.what, last_note(second))
        for second, one in replay()
        if one.what in {EventKind.PAUSED, EventKind.RESUMED, EventKind.SEEKED}
    ]

    assert seen == [
        (EventKind.PAUSED, "press pause"),
        (EventKind.RESUMED, "press play"),
        (EventKind.SEEKED, "seek to 80 %"),
    ]


def test_what_jellyfin_calls_played_is_not_what_was_heard() -> None:
    called_played = {
        entry.item_id
        for one in recording("12.0", "web-client")
        if "frame" in one
        and isinstance(
            told := decode(json.dumps(one["frame"]).encode(), own_device="x"), UserDataChanged
        )
        for entry in told.entries
        if entry.played
    }
    plays = [event.play for _, event in replay() if event.play is not None]

    assert called_played == {one.item_id for one in plays}
    assert [one.title for one in plays if one.counts] == ["Tone 2", "Tone 9"]
