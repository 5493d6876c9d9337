"""Clients as the server tells of them, written down in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.playback.plays import Play
from sidecar.domain.playback.sessions import NowPlaying
from sidecar.domain.playback.tracker import Moment, PlaybackEvent, Tracker
from tests.fakes.clock import START

ANN = "a" * 32
# Running times of the items, in seconds.
SECONDS = {"A": 180.0, "B": 200.0, "C": 30.0, "film": 5400.0, "radio": None}


def moment(seconds: float) -> Moment:
    """Return the moment so many seconds after the beginning."""
    return Moment(START + timedelta(seconds=seconds), 1000.0 + seconds)


def thing(name: str) -> Item:
    return Item(
        id=name, type=ItemType.AUDIO, title=name, album_id="album", seconds=SECONDS.get(name)
    )


def client(
    name: str,
    position: float,
    *,
    reported: float = 0.0,
    entry: str | None = "0",
    paused: bool = False,
    session: str = "s",
    user: str | None = ANN,
) -> NowPlaying:
    """Return a client that plays `name`; `reported` names its last report, by any number."""
    return NowPlaying(
        session_id=session,
        user_id=user,
        item=thing(name),
        playlist_item_id=entry,
        client="Finamp",
        device_name="Phone",
        position_s=position,
        is_paused=paused,
        checked_in=START - timedelta(days=3) + timedelta(seconds=reported),
    )


@dataclass(frozen=True)
class Look:
    """All that plays at a second; with `told` False nothing is told, the time only goes on."""

    second: float
    playing: tuple[NowPlaying, ...] = ()
    told: bool = True


def look(second: float, *playing: NowPlaying) -> Look:
    return Look(second, playing)


def silence(second: float) -> Look:
    return Look(second, told=False)


def steadily(
    name: str,
    *,
    start: float,
    stop: float,
    position: float = 0.0,
    every: float = 2.0,
    reports_every: float = 10.0,
    **told: str | None,
) -> list[Look]:
    """Return looks at a client that plays on, the server filling in between its reports."""
    count = int((stop - start) / every)
    passed = [number * every for number in range(count + 1)]
    return [
        look(
            start + one,
            client(
                name,
                position + one,
                reported=start + one - one % reports_every,
                **told,  # type: ignore[arg-type]  # entry, session, user
            ),
        )
        for one in passed
    ]


def follow(looks: list[Look], tracker: Tracker | None = None) -> list[PlaybackEvent]:
    """Return what a tracker makes of them."""
    tracker = tracker or Tracker()
    events: list[PlaybackEvent] = []
    for one in looks:
        now = moment(one.second)
        events += tracker.take(one.playing, now) if one.told else tracker.tick(now)
    return events


def plays(events: list[PlaybackEvent]) -> list[Play]:
    return [one.play for one in events if one.play is not None]
