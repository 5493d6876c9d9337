from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sidecar.domain.playback.plays import Play
from sidecar.store.accounts.accounts import Accounts
from sidecar.store.database import Database
from sidecar.store.downloads.queue import Downloads
from sidecar.store.playback.plays import WAS_THERE, Plays
from tests.fakes.clock import START
from tests.store.accounts.test_accounts import ANNS, BENS
from tests.store.downloads.test_queries import fill, looks_at_all_rows, plans
from tests.store.examples import ANN, BEN, CARD, STICK, item_id, wanted

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ALBUM, OTHER = item_id(900), item_id(901)


@pytest.fixture
def plays(db: Database) -> Plays:
    Accounts(db).save(ANNS)
    Accounts(db).save(BENS)
    return Plays(db)


def play(number: int, *, after: timedelta = timedelta(0), **facts: object) -> Play:
    """Return a play of a whole track of the album, a while after the beginning."""
    begun = START + after
    whole = Play(
        user_id=ANN,
        item_id=item_id(number),
        title=f"Track {number}",
        album_id=ALBUM,
        artist="Björk",
        client="Finamp",
        device_name="Phone",
        session_id="s",
        playlist_item_id=None,
        started_at=begun,
        ended_at=begun + MINUTE,
        position_s=60.0,
        seconds_heard=59.5,
        run_time=60.0,
    )
    return replace(whole, **facts)  # type: ignore[arg-type]  # any field, by name


def skipped(number: int, **facts: object) -> Play:
    return play(number, **{"seconds_heard": 29.9, **facts})  # type: ignore[arg-type]


def test_what_was_saved_is_what_is_listed_newest_first(plays: Plays) -> None:
    saved = [play(number, after=number * MINUTE) for number in range(5)]
    for one in saved:
        plays.save(one)
    plays.save(play(7, user_id=BEN))

    first, total = plays.page(ANN, 1, 3)
    last, _ = plays.page(ANN, 2, 3)

    assert total == 5
    assert [one.play for one in [*first, *last]] == saved[::-1]
    assert [one.id for one in first] == sorted((one.id for one in first), reverse=True)
    assert plays.page(ANN, 9, 3) == ([], 5)


def test_a_play_that_goes_on_is_still_one_play(plays: Plays) -> None:
    begun = skipped(1)
    first = plays.save(begun)
    plays.save(play(2, after=MINUTE))

    again = plays.save(replace(begun, seconds_heard=58.0, position_s=58.0))

    assert again == first
    listed, total = plays.page(ANN, 1, 10)
    assert total == 2
    assert (listed[1].play.seconds_heard, listed[1].play.counts) == (58.0, True)
    assert plays.heard_in_album(ANN, ALBUM, START) == {item_id(1), item_id(2)}


def test_only_plays_that_count_are_heard_by_the_rules(plays: Plays) -> None:
    for number in (1, 2, 2, 3):
        plays.save(play(number, after=number * DAY, session_id=f"s{number}"))
    plays.save(skipped(4))
    plays.save(play(5, user_id=BEN))
    plays.save(play(6, album_id=OTHER))
    plays.save(play(7, album_id=None))

    assert plays.heard_in_album(ANN, ALBUM, START) == {item_id(1), item_id(2), item_id(3)}
    assert plays.heard_in_album(ANN, ALBUM, START + 2 * DAY) == {item_id(2), item_id(3)}
    assert plays.heard_in_album(BEN, ALBUM, START) == {item_id(5)}
    assert plays.albums_heard(ANN, START) == {ALBUM, OTHER}
    assert plays.albums_heard(ANN, START + DAY) == {ALBUM}
    assert plays.albums_heard(ANN, START + 9 * DAY) == frozenset()


def test_when_an_item_was_last_heard_by_anybody(plays: Plays) -> None:
    plays.save(play(1))
    plays.save(play(1, after=DAY, user_id=BEN))
    plays.save(skipped(1, after=2 * DAY))
    plays.save(skipped(2))

    assert plays.last_heard([item_id(1), item_id(2), item_id(3)]) == {
        item_id(1): START + DAY + MINUTE
    }
    assert plays.last_heard([]) == {}


def test_what_ended_lately_comes_in_the_order_it_ended(plays: Plays) -> None:
    second, first = play(1, after=2 * MINUTE), play(2, after=MINUTE, session_id="t")
    for one in (second, first, play(3, after=-MINUTE * 10), play(4, user_id=BEN)):
        plays.save(one)

    assert plays.list_recent(ANN, START) == [first, second]


def test_a_person_s_plays_go_with_the_person(db: Database, plays: Plays) -> None:
    plays.save(play(1))

    Accounts(db).forget(ANN)

    assert plays.save(play(2)) is None
    assert plays.page(ANN, 1, 10) == ([], 0)


Ask = Callable[[Plays], object]
QUESTIONS: dict[str, Ask] = {
    "plays_by_user": lambda them: them.page(ANN, 1, 10),
    "plays_by_user ": lambda them: them.list_recent(ANN, START),
    "plays_in_album": lambda them: them.heard_in_album(ANN, ALBUM, START),
    "plays_of_albums": lambda them: them.albums_heard(ANN, START),
    "plays_of_item": lambda them: them.last_heard([item_id(1)]),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("index", QUESTIONS)
def test_no_question_reads_everybody_s_plays(db: Database, plays: Plays, index: str) -> None:
    for number in range(50):
        plays.save(play(number, after=number * MINUTE))

    asked = plans(db, lambda: QUESTIONS[index](plays))

    assert asked
    for steps in asked:
        assert index in " ".join(steps)
        assert not any(map(looks_at_all_rows, steps)), steps
        assert "TEMP B-TREE FOR ORDER BY" not in " ".join(steps)


def test_what_was_heard_last_was_used_last_on_every_device(
    db: Database, downloads: Downloads
) -> None:
    (both,) = downloads.queue.add_all([wanted(1)])
    (on_card,) = downloads.queue.add_all([wanted(1, device=CARD)])
    (other,) = downloads.queue.add_all([wanted(2)])

    def used(*rows: int) -> list[int]:
        return [found.last_used_seq for row in rows if (found := downloads.queries.get(row))]

    assert used(both.id, on_card.id, other.id) == [0, 0, 0]
    assert downloads.transitions.mark_used(item_id(1)) == 2
    assert downloads.transitions.mark_used(item_id(2)) == 1
    assert downloads.transitions.mark_used(item_id(3)) == 0
    assert used(both.id, on_card.id, other.id) == [1, 1, 2]
    assert downloads.transitions.mark_used(item_id(1)) == 2
    assert used(both.id, on_card.id, other.id) == [3, 3, 2]
    assert STICK != CARD


@pytest.mark.sqlite
def test_noting_what_was_heard_reads_no_other_file(db: Database, downloads: Downloads) -> None:
    fill(db, 2000)

    for steps in plans(db, lambda: downloads.transitions.mark_used(item_id(7))):
        assert not any(map(looks_at_all_rows, steps)) or "devices" in " ".join(steps), steps
        assert "downloads_by_use" in " ".join(steps)
        assert not any("downloads" in step and looks_at_all_rows(step) for step in steps)


@pytest.mark.sqlite
def test_whether_it_was_there_is_found_by_the_item_not_by_all_that_is_completed(
    db: Database,
) -> None:
    steps = [row[3] for row in db.sql(f"EXPLAIN QUERY PLAN {WAS_THERE}", [0] * 3)]

    assert any("(device_id=? AND item_id=?)" in one for one in steps), steps
    assert any("(download_id=? AND user_id=?)" in one for one in steps), steps
