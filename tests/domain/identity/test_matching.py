from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.domain.files.naming import build_path
from sidecar.domain.identity.matching import (
    BY_TAGS,
    BY_VERSION,
    OTHER_FILE,
    OTHER_SIZE,
    TOO_LITTLE,
    Facts,
    MatchVerdict,
    facts_of,
    identify,
    own_name,
    source_names,
)
from sidecar.domain.items.item import Item, ItemType
from tests.domain.examples import TONE

FILM = Item(id="f" * 32, type=ItemType.MOVIE, title="Bars", year=1995, seconds=5400.0, size=7)
WAS = facts_of(TONE)
ELSEWHERE = replace(TONE, id="2" * 32, source_path="/mnt/Ann/Light (2019)/1-01 Tone.flac")


@pytest.mark.parametrize(
    ("before", "now", "verdict", "why"),
    [
        (TONE, ELSEWHERE, MatchVerdict.SAME, BY_VERSION),
        (TONE, replace(ELSEWHERE, title="01 Tone", album=None), MatchVerdict.SAME, BY_VERSION),
        (TONE, replace(ELSEWHERE, source_etag="e2"), MatchVerdict.SAME, BY_TAGS),
        (TONE, replace(ELSEWHERE, source_etag=None), MatchVerdict.SAME, BY_TAGS),
        (replace(TONE, source_etag=None), ELSEWHERE, MatchVerdict.SAME, BY_TAGS),
        # Case and composition are the tagger's.
        (TONE, replace(ELSEWHERE, source_etag="e2", title="TONE 1"), MatchVerdict.SAME, BY_TAGS),
        (FILM, replace(FILM, id="2" * 32), MatchVerdict.SAME, BY_TAGS),
        (TONE, replace(ELSEWHERE, size=1001), MatchVerdict.NONE, OTHER_SIZE),
        (TONE, replace(ELSEWHERE, size=None), MatchVerdict.NONE, OTHER_SIZE),
        (replace(TONE, size=None), ELSEWHERE, MatchVerdict.NONE, OTHER_SIZE),
        (TONE, replace(ELSEWHERE, seconds=30.0), MatchVerdict.NONE, OTHER_FILE),
        (TONE, replace(ELSEWHERE, type=ItemType.AUDIO_BOOK), MatchVerdict.NONE, OTHER_FILE),
        (
            TONE,
            replace(ELSEWHERE, source_etag="e2", title="Other", number=2),
            MatchVerdict.NONE,
            OTHER_FILE,
        ),
        # Its title, and its name, say something, but not enough.
        (
            TONE,
            replace(ELSEWHERE, source_etag="e2", album="Dark"),
            MatchVerdict.AMBIGUOUS,
            TOO_LITTLE,
        ),
        (
            TONE,
            replace(
                ELSEWHERE, source_etag=None, title="x", source_path="/mnt/y/01 Tone.flac", number=3
            ),
            MatchVerdict.AMBIGUOUS,
            TOO_LITTLE,
        ),
        (
            replace(TONE, artist=None, album_artist=None, album=None),
            replace(ELSEWHERE, source_etag="e2", artist=None, album_artist=None, album=None),
            MatchVerdict.AMBIGUOUS,
            TOO_LITTLE,
        ),
    ],
)
def test_what_a_file_is_by_now(before: Item, now: Item, verdict: MatchVerdict, why: str) -> None:
    decision = identify([facts_of(before)], [facts_of(now)])[before.id]

    assert (decision.verdict, decision.why) == (verdict, why)
    assert decision.ids == (() if verdict is MatchVerdict.NONE else (now.id,))


def test_of_two_copies_the_one_with_the_same_tags_or_else_the_same_name_is_meant() -> None:
    other = replace(ELSEWHERE, id="3" * 32, album="Best of", number=7)

    assert identify([WAS], [facts_of(other), facts_of(ELSEWHERE)])[TONE.id].ids == (ELSEWHERE.id,)

    twin = replace(ELSEWHERE, id="3" * 32, number=7, source_path="/mnt/Copy.flac")
    same_name = replace(TONE, id="4" * 32)

    assert identify([WAS], [facts_of(twin), facts_of(same_name)])[TONE.id].ids == ("4" * 32,)


def test_a_person_is_asked_which_of_two_copies_is_meant_and_never_about_more() -> None:
    copies = [facts_of(replace(TONE, id=f"{n:032x}")) for n in range(50)]

    decision = identify([WAS], copies)[TONE.id]

    assert decision.verdict is MatchVerdict.AMBIGUOUS
    assert len(decision.ids) == 20


def test_two_old_files_are_never_one_item() -> None:
    twin = replace(WAS, id="9" * 32)

    decisions = identify([WAS, twin], [facts_of(ELSEWHERE)])

    assert {one.verdict for one in decisions.values()} == {MatchVerdict.AMBIGUOUS}


def test_what_a_person_has_said_is_not_asked_again() -> None:
    decision = identify([WAS], [facts_of(ELSEWHERE)], different={(TONE.id, ELSEWHERE.id)})[TONE.id]

    assert decision.verdict is MatchVerdict.NONE


def test_two_files_of_one_device_are_two_items() -> None:
    now = facts_of(ELSEWHERE, devices={"stick"})

    assert identify([replace(WAS, devices=frozenset({"stick"}))], [now])[TONE.id].ids == ()
    assert identify([replace(WAS, devices=frozenset({"phone"}))], [now])[TONE.id].ids == (now.id,)


def test_a_converted_file_keeps_its_name() -> None:
    assert own_name("Car/Ann - Light/1-01 - Tone 1.mp3") == own_name(build_path(TONE))
    assert source_names("D:\\Music\\A.flac") == source_names("/music/a.FLAC")
    assert not source_names(None)


# Few values, so that much is alike.
FACTS = st.builds(
    Facts,
    id=st.just(""),
    kind=st.sampled_from([ItemType.AUDIO, ItemType.MOVIE]),
    title=st.sampled_from(["a", "b"]),
    artists=st.sampled_from([frozenset[str](), frozenset({"x"}), frozenset({"x", "y"})]),
    album=st.sampled_from([None, "l", "m"]),
    size=st.sampled_from([None, 0, 1, 2]),
    version=st.sampled_from([None, "v", "w"]),
    seconds=st.sampled_from([None, 1.0, 9.0]),
    names=st.sampled_from([frozenset[str](), frozenset({"n"}), frozenset({"o"})]),
    devices=st.sampled_from([frozenset[str](), frozenset({"stick"})]),
)


def _numbered(facts: list[Facts], side: str) -> list[Facts]:
    return [replace(one, id=f"{side}{number}") for number, one in enumerate(facts)]


def _same(before: list[Facts], now: list[Facts]) -> set[tuple[str, str]]:
    found = identify(before, now)
    return {(one, it.ids[0]) for one, it in found.items() if it.verdict is MatchVerdict.SAME}


@given(st.lists(FACTS, max_size=8), st.lists(FACTS, max_size=8), st.randoms())
def test_what_always_holds(olds: list[Facts], news: list[Facts], chance: Random) -> None:
    before, now = _numbered(olds, "old"), _numbered(news, "new")
    decisions, same = identify(before, now), _same(before, now)
    old, new = {one.id: one for one in before}, {one.id: one for one in now}

    assert decisions.keys() == old.keys()
    # Never two rows to one item.
    assert len({other for _, other in same}) == len(same)
    # Never on weak evidence alone.
    for one, other in same:
        assert old[one].size
        assert old[one].size == new[other].size
        assert old[one].version == new[other].version or old[one].title == new[other].title
    # Which side is old does not matter, nor the order.
    assert {(one, other) for other, one in _same(now, before)} == same
    chance.shuffle(before)
    chance.shuffle(now)
    assert identify(before, now) == decisions
    # What is asked about is no one else's for sure.
    sure = {other for _, other in same}
    assert all(
        sure.isdisjoint(it.ids) for it in decisions.values() if it.verdict is MatchVerdict.AMBIGUOUS
    )
