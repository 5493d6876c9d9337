from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.playback.sessions import NowPlaying, QueueEntry, Repeat
from sidecar.domain.rules.context import Chosen
from sidecar.domain.rules.library import ListedItems
from sidecar.domain.rules.queue_ahead import TOP_PRIORITY, QueueAheadSettings, make_wishes
from tests.fakes.libraries.rule_library import (
    RuleLibrary,
    context,
    episode,
    full,
    hold,
    named,
    part,
    plays,
    song,
)

SONGS = [song(f"{number}") for number in range(1, 11)]
OTHERS = [song(f"other {number}", album=f"Album {number}") for number in range(1, 11)]
ALBUM = SONGS[0].album_id or ""
EPISODES = [episode(number) for number in range(1, 5)]
PARTS = [part(1), part(2), part(1, "Another Book"), part(3)]
ROAD = Chosen(playlist_id=named("road"), title="Road trip")


@pytest.fixture
def shelf() -> RuleLibrary:
    everything = [*SONGS, *OTHERS, *EPISODES, *PARTS]
    return RuleLibrary(
        known={one.id: one for one in everything},
        lists={
            ALBUM: full(*SONGS),
            named("The Signal"): full(*EPISODES),
            named("folder"): full(*PARTS),
            ROAD.playlist_id: full(SONGS[3], OTHERS[0], OTHERS[1]),
        },
    )


def titles(shelf: RuleLibrary, playing: NowPlaying, minutes: int = 0) -> list[str]:
    found = make_wishes(
        context(QueueAheadSettings(minutes=minutes), shelf, playing=(playing,), chosen=(ROAD,))
    )
    return [one.item.title for one in found.wishes]


@pytest.mark.parametrize(
    ("playing", "expected"),
    [
        # The queue decides, wherever it leads.
        (
            plays(SONGS[0], SONGS[0], *OTHERS),
            ["other 1", "other 2", "other 3", "other 4", "other 5"],
        ),
        (plays(SONGS[0], SONGS[0], OTHERS[0]), ["other 1"]),
        (plays(SONGS[0], SONGS[0]), []),
        # Repeats count once, and what plays is not fetched for what comes next.
        (
            plays(SONGS[0], SONGS[0], OTHERS[0], SONGS[0], OTHERS[0], OTHERS[1]),
            ["other 1", "other 2"],
        ),
        (plays(SONGS[0], SONGS[0], *OTHERS[:2], shuffled=True), ["other 1", "other 2"]),
        # No queue is told: what follows where the item stands.
        (plays(SONGS[6]), ["8", "9", "10"]),
        (plays(SONGS[1]), ["3", "4", "5", "6", "7"]),
        (plays(SONGS[9]), []),
        (plays(EPISODES[1]), ["Part 3", "Part 4"]),
        (plays(PARTS[0]), ["Chapter 2", "Chapter 3"]),
        (plays(OTHERS[0], entry=OTHERS[0].id), ["other 2"]),
        # Repeat.
        (plays(SONGS[8], repeat=Repeat.ALL), ["10", "1", "2", "3", "4"]),
        (plays(SONGS[8], SONGS[8], SONGS[9], repeat=Repeat.ALL), ["10", "1", "2", "3", "4"]),
        (plays(SONGS[8], SONGS[8], OTHERS[1], repeat=Repeat.ALL), ["other 2"]),
        (plays(SONGS[2], SONGS[2], repeat=Repeat.ALL), []),
        (plays(SONGS[0], SONGS[0], *OTHERS, repeat=Repeat.ONE), []),
        (plays(EPISODES[2], repeat=Repeat.ALL), ["Part 4"]),
        # Nothing can be known.
        (plays(SONGS[0], shuffled=True), []),
        (plays(Item(id="f" * 32, type=ItemType.MOVIE, title="Colour Bars")), []),
        (plays(song("guest", album="Unknown")), []),
    ],
)
def test_what_comes_next_is_wished_for(
    shelf: RuleLibrary, playing: NowPlaying, expected: list[str]
) -> None:
    assert titles(shelf, playing) == expected


@pytest.mark.parametrize(
    ("minutes", "expected"), [(1, 1), (2, 1), (3, 2), (10, 5), (12, 6), (600, 9)]
)
def test_minutes_take_the_place_of_the_count(
    shelf: RuleLibrary, minutes: int, expected: int
) -> None:
    assert len(titles(shelf, plays(SONGS[0]), minutes=minutes)) == expected


def test_the_reason_says_whether_the_queue_is_known(shelf: RuleLibrary) -> None:
    told = make_wishes(context(QueueAheadSettings(), shelf, playing=(plays(SONGS[0], *SONGS[:2]),)))
    guessed = make_wishes(context(QueueAheadSettings(), shelf, playing=(plays(SONGS[0]),)))

    assert told.wishes[0].reason.text == "next in the queue of Firefox"
    assert guessed.wishes[0].reason.text == "next on this album (playing on Firefox)"


def after(now: int, *before: int) -> NowPlaying:
    """Return a client without a queue that plays a song of the album, after others of it."""
    return replace(plays(SONGS[now - 1]), before=tuple(SONGS[one - 1].id for one in before))


@pytest.mark.parametrize(
    ("playing", "expected", "said"),
    [
        (after(3, 1, 2), ["4", "5", "6", "7", "8"], "next on this album"),
        (after(6, 1, 2), ["7", "8", "9", "10"], "next on this album, estimated"),
        (after(2, 10), ["3", "4", "5", "6", "7"], "next on this album, estimated"),
        (after(1, 9, 10), ["2", "3", "4", "5", "6"], "next on this album"),
        (after(3, 7, 9), ["1", "2", "4", "5", "6"], "from the same album or playlist, shuffled"),
        (after(4, 7, 2), ["1", "3", "5", "6", "8"], "from the same album or playlist, shuffled"),
        # Long ago, and in order since.
        (after(9, 1, 5, 3, 4, 5, 6, 7, 8), ["10"], "next on this album"),
    ],
)
def test_a_client_that_jumps_is_believed_less_and_then_taken_to_shuffle(
    shelf: RuleLibrary, playing: NowPlaying, expected: list[str], said: str
) -> None:
    found = make_wishes(context(QueueAheadSettings(), shelf, playing=(playing,)))

    assert [one.item.title for one in found.wishes] == expected
    assert all(one.reason.text.startswith(said) for one in found.wishes)


def test_the_very_next_one_is_the_most_urgent(shelf: RuleLibrary) -> None:
    found = make_wishes(context(QueueAheadSettings(count=3), shelf, playing=(plays(SONGS[0]),)))

    priorities = [one.priority for one in found.wishes]
    assert priorities == [TOP_PRIORITY, TOP_PRIORITY - 1, TOP_PRIORITY - 2]


def test_shuffled_without_a_queue_says_that_nothing_can_be_done(shelf: RuleLibrary) -> None:
    found = make_wishes(
        context(QueueAheadSettings(), shelf, playing=(plays(SONGS[0], shuffled=True),))
    )

    assert found.remarks == (
        "Firefox plays shuffled and does not show its queue: nothing is downloaded ahead for it",
    )


def test_a_shuffled_queue_that_is_told_in_its_old_order_is_not_believed(shelf: RuleLibrary) -> None:
    old = tuple(QueueEntry(one.id, f"playlistItem{at}") for at, one in enumerate(SONGS))
    shuffled = (old[0], old[4], old[2], old[9], old[1])
    playing = plays(SONGS[0], shuffled=True)

    assert titles(shelf, replace(playing, queue=old)) == []
    assert titles(shelf, replace(playing, queue=shuffled)) == ["5", "3", "10", "2"]
    in_order = replace(playing, queue=old, is_shuffled=False)
    assert titles(shelf, in_order) == ["2", "3", "4", "5", "6"]


def test_a_playlist_that_nobody_chose_is_told_of(shelf: RuleLibrary) -> None:
    playing = plays(OTHERS[7], entry=OTHERS[7].id)

    found = make_wishes(context(QueueAheadSettings(), shelf, playing=(playing,), chosen=(ROAD,)))

    assert found.wishes == ()
    assert "keep the playlist in sync" in found.remarks[0]


def test_what_plays_keeps_its_place_but_is_not_fetched(shelf: RuleLibrary) -> None:
    before = (hold(SONGS[4].id, ALBUM),)

    found = make_wishes(
        context(QueueAheadSettings(count=1), shelf, playing=(plays(SONGS[4]),), held=before)
    )

    assert [(one.item.title, one.reason.source_id) for one in found.wishes] == [
        ("5", ALBUM),
        ("6", ALBUM),
    ]
    assert found.wishes[0].reason.text == "playing in Firefox"


def test_two_clients_are_both_served(shelf: RuleLibrary) -> None:
    both = (plays(SONGS[0]), plays(EPISODES[0], session="s2"))

    found = make_wishes(context(QueueAheadSettings(count=2), shelf, playing=both))

    assert [one.item.title for one in found.wishes] == ["2", "3", "Part 2", "Part 3"]


def test_a_client_that_has_vanished_plays_no_more_after_a_while(shelf: RuleLibrary) -> None:
    def after(minutes: int) -> int:
        then = timedelta(minutes=minutes)
        return len(
            make_wishes(
                context(QueueAheadSettings(), shelf, playing=(plays(SONGS[0]),), after=then)
            ).wishes
        )

    assert (after(60), after(61)) == (5, 0)


def test_what_has_no_file_is_passed_over(shelf: RuleLibrary) -> None:
    shelf.known[OTHERS[0].id] = replace(OTHERS[0], is_remote=True)
    del shelf.known[OTHERS[1].id]

    assert titles(shelf, plays(SONGS[0], SONGS[0], *OTHERS[:4])) == ["other 3", "other 4"]


def test_a_listing_with_gaps_lets_nothing_go(shelf: RuleLibrary) -> None:
    shelf.lists[ALBUM] = ListedItems(tuple(SONGS[:3]), complete=False)

    found = make_wishes(context(QueueAheadSettings(), shelf, playing=(plays(SONGS[0]),)))

    assert found.unsure_of == {ALBUM}
