from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.player_logs.matching import (
    ImportedMarks,
    ImportedPlay,
    OurFile,
    OurFiles,
    Tally,
    is_confirmed,
    is_ticked_by,
    merge_plays,
    narrow,
    play_time,
    was_listened,
)
from sidecar.domain.player_logs.parsing import LoggedPlay, LogKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOON = 1_793_534_400  # 2026-11-01 12:00 by some clock
BERLIN = ZoneInfo("Europe/Berlin")
FILES = [
    OurFile("1", "Sigur Rós/Takk... (2005)/1-03 - Glósóli.flac", "Glósóli", "Sigur Rós", "Takk..."),
    OurFile("2", "Choir/Hits (2001)/1-01 - Intro.flac", "Intro", "Choir", "Hits"),
    OurFile("3", "Choir/More (2004)/1-01 - Intro.flac", "Intro", "Choir", "More"),
    OurFile("4", "Duo/Two (2004)/1-01 - Song.flac", "Song", "Ann, Ben", "Two"),
]


def scrobble(title: str, artist: str | None = None, **facts: object) -> LoggedPlay:
    values: dict[str, object] = {
        "kind": LogKind.SCROBBLER,
        "line": 1,
        "stamp": NOON,
        "artist": artist,
        "title": title,
    }
    return LoggedPlay(**{**values, **facts})  # type: ignore[arg-type]


def played(path: str, **facts: object) -> LoggedPlay:
    values: dict[str, object] = {
        "kind": LogKind.PLAYBACK,
        "line": 1,
        "stamp": NOON,
        "length_s": 200.0,
        "heard_s": 200.0,
        "path": path,
    }
    return LoggedPlay(**{**values, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("heard", "ids"),
    [
        (played("/Sigur Rós/Takk... (2005)/1-03 - Glósóli.flac"), "1"),
        (played("/<HDD0>/Sigur Rós/Takk... (2005)/1-03 - Glósóli.flac"), "1"),
        (played("/SIGUR RÓS/Takk (2005)/1-03 - GLÓSÓLI.FLAC"), ""),
        (played("/sigur rós/takk... (2005)/1-03 - glósóli.flac"), "1"),
        (played("/Music/Sigur Rós/Takk... (2005)/1-03 - Glósóli.flac"), ""),
        (played("/../../etc/passwd"), ""),
        (scrobble("Glósóli", "Sigur Rós", album="Takk..."), "1"),
        (scrobble("glósóli", "SIGUR  RÓS"), "1"),
        (scrobble("Glósóli", "Somebody else"), ""),
        (scrobble("Glósóli", "Sigur Rós", album="Heim"), ""),
        (scrobble("Intro", "Choir"), "23"),
        (scrobble("Intro", "Choir", album="More"), "3"),
        (scrobble("Song", "Ann; Ben", album="Two"), "4"),
        (scrobble("Song", "Ann feat. Carl"), "4"),
        (scrobble("Intro"), ""),
        (scrobble("/Choir/Hits (2001)/1-01 - Intro.flac"), "2"),
        (scrobble("1-03 - Glósóli.flac", is_untagged=True), "1"),
        (scrobble("1-03 - GLÓSÓLI.FLAC", is_untagged=True), "1"),
        (scrobble("1-03 - Glósóli", is_untagged=True), "1"),
        (scrobble("Takk... (2005)/1-03 - Glósóli.flac", is_untagged=True), "1"),
        (scrobble("Heim (2005)/1-03 - Glósóli.flac", is_untagged=True), ""),
        (scrobble("-03 - Glósóli.flac", is_untagged=True), ""),
        (scrobble("1-01 - Intro.flac", is_untagged=True), "23"),
        (scrobble("More (2004)/1-01 - Intro.flac", is_untagged=True), "3"),
        (scrobble("1-03 - Glósóli.flac"), ""),
    ],
)
def test_which_of_our_files_a_line_may_mean(heard: LoggedPlay, ids: str) -> None:
    assert "".join(one.item_id for one in OurFiles(FILES).match(heard)) == ids


@pytest.mark.parametrize(
    ("facts", "fits"),
    [
        ({"length_s": 200.0}, True),
        ({"length_s": 203.0}, True),
        ({"length_s": 204.0}, False),
        ({}, True),
        ({"length_s": 200.0, "number": 3}, True),
        ({"length_s": 200.0, "number": 4}, False),
    ],
)
def test_tags_alone_are_believed_only_if_length_and_number_agree(
    facts: dict[str, object], fits: bool
) -> None:
    item = Item(id="1", type=ItemType.AUDIO, title="Glósóli", seconds=200.4, number=3)

    left = narrow(scrobble("Glósóli", "Sigur Rós", **facts), FILES[:1], {"1": item})

    assert bool(left) is fits


def test_what_the_server_does_not_know_any_more_fits_nothing() -> None:
    assert not narrow(scrobble("Glósóli", "Sigur Rós"), FILES[:1], {})


@pytest.mark.parametrize(
    ("heard", "run_time", "enough"),
    [
        (played("/a", heard_s=100.0), 200.0, True),
        (played("/a", heard_s=99.0), 200.0, False),
        (played("/a", heard_s=240.0, length_s=3600.0), None, True),
        (played("/a", heard_s=100.0, length_s=None), 200.0, True),
        (played("/a", heard_s=100.0, length_s=None), None, False),
        (scrobble("a"), None, True),
        (scrobble("a", is_skip=True), None, False),
    ],
)
def test_half_or_four_minutes_is_a_play(
    heard: LoggedPlay, run_time: float | None, enough: bool
) -> None:
    assert was_listened(heard, run_time) is enough


def test_a_wall_clock_is_read_in_its_zone_and_utc_as_it_is() -> None:
    berlin = play_time(scrobble("a", length_s=200.0), None, BERLIN, NOW)
    utc = play_time(scrobble("a", length_s=200.0, is_utc=True), None, BERLIN, NOW)

    assert berlin is not None
    assert utc is not None
    assert berlin.started_at == datetime(2026, 11, 1, 11, tzinfo=UTC)
    assert utc.started_at == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert berlin.seconds_heard == 100.0


def test_the_playback_log_tells_the_end() -> None:
    told = play_time(played("/a", heard_s=150.0), None, UTC, NOW)

    assert told is not None
    assert told.ended_at == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert told.ended_at - told.started_at == timedelta(seconds=150)


@pytest.mark.parametrize("stamp", [0, 86400 * 365, NOON + 86400 * 365, 10**15 - 1])
def test_a_date_that_cannot_be_true_is_no_date(stamp: int) -> None:
    assert play_time(scrobble("a", stamp=stamp), 200.0, UTC, NOW) is None


@given(st.integers(0, 2**40), st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia"]))
def test_nothing_is_heard_in_the_future(stamp: int, zone: str) -> None:
    told = play_time(scrobble("a", stamp=stamp, length_s=200.0), None, ZoneInfo(zone), NOW)

    assert told is None or told.started_at <= told.ended_at <= NOW


def test_a_line_met_again_is_not_fresh() -> None:
    ledger = ImportedMarks([("1", ImportedPlay(LogKind.SCROBBLER, NOON))])

    assert not ledger.is_fresh("1", scrobble("a"))
    assert ledger.is_fresh("2", scrobble("a"))
    assert not ledger.is_fresh("2", scrobble("a"))
    assert ledger.is_fresh("1", scrobble("a", stamp=NOON + 300))


def test_one_listening_in_both_logs_is_one() -> None:
    ledger = ImportedMarks()

    assert ledger.is_fresh("1", played("/a", stamp=NOON + 210))
    assert not ledger.is_fresh("1", scrobble("a", length_s=200.0))


def test_a_track_on_repeat_is_as_many_plays_as_it_was_in_whichever_log() -> None:
    ledger = ImportedMarks()
    ends = [played("/a", stamp=NOON + 200 * turn) for turn in (1, 2, 3)]
    starts = [scrobble("a", stamp=NOON + 200 * turn, length_s=200.0) for turn in (0, 1, 2)]

    assert [ledger.is_fresh("1", one) for one in [*ends, *starts]] == [True] * 3 + [False] * 3
    assert ledger.is_fresh("1", scrobble("a", stamp=NOON + 2000, length_s=200.0))


def test_a_log_made_from_the_other_one_has_its_times_and_brings_nothing() -> None:
    ledger = ImportedMarks()
    ends = [played("/a", stamp=NOON + 200 * turn) for turn in (1, 2, 3)]
    made = [scrobble("a", stamp=NOON + 200 * turn, length_s=200.0) for turn in (1, 2, 3)]

    assert [ledger.is_fresh("1", one) for one in [*ends, *made]] == [True] * 3 + [False] * 3


@given(st.lists(st.tuples(st.sampled_from("12"), st.integers(0, 5000), st.booleans())))
def test_what_was_read_once_is_never_fresh_again(lines: list[tuple[str, int, bool]]) -> None:
    told = [
        (item, played("/a", stamp=stamp) if ends else scrobble("a", stamp=stamp, length_s=200.0))
        for item, stamp, ends in lines
    ]
    told.sort(key=lambda one: one[1].kind is LogKind.SCROBBLER)
    first = ImportedMarks()
    taken = [(item, one) for item, one in told if first.is_fresh(item, one)]
    kept = ImportedMarks(
        (item, ImportedPlay(one.kind, one.stamp, one.heard_s)) for item, one in taken
    )

    assert not any(kept.is_fresh(item, one) for item, one in told)


MOMENTS = st.datetimes(
    datetime(2010, 1, 1),  # noqa: DTZ001 - the zone is given beside it
    datetime(2026, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(
    st.builds(Tally, st.integers(0, 99), st.none() | MOMENTS, st.booleans()),
    st.lists(MOMENTS, min_size=1),
    st.booleans(),
)
def test_a_date_never_goes_back_and_a_count_grows_by_the_plays(
    before: Tally, plays: list[datetime], ticks: bool
) -> None:
    after = merge_plays(before, plays, ticks=ticks)

    assert after.last is not None
    assert before.last is None or after.last >= before.last
    assert after.last in {before.last, *plays}
    assert after.count == before.count + len(plays)
    assert after.is_played or not (before.is_played or ticks)
    assert is_confirmed(after, after.count, max(plays))
    assert not is_confirmed(before, after.count, max(plays))


def test_music_is_ticked_off_at_once_and_a_book_near_its_end() -> None:
    song = Item(id="1", type=ItemType.AUDIO, title="a", seconds=200.0)
    book = Item(id="1", type=ItemType.AUDIO_BOOK, title="a", seconds=200.0)

    assert is_ticked_by(song, 100.0)
    assert not is_ticked_by(book, 100.0)
    assert is_ticked_by(book, 190.0)
