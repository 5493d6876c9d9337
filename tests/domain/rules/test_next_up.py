from __future__ import annotations

from dataclasses import replace

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules.context import Wanted
from sidecar.domain.rules.library import ListedItems
from sidecar.domain.rules.next_up import NextUpSettings, make_wishes
from tests.fakes.libraries.rule_library import (
    RuleLibrary,
    context,
    episode,
    full,
    hold,
    named,
    part,
)

SIGNAL = named("The Signal")
FOLDER = named("folder")


def series(item_id: str, *, is_played: bool) -> Item:
    return Item(id=item_id, type=ItemType.SERIES, title="x", is_played=is_played)


def titles(found: Wanted) -> list[str]:
    return [one.item.title for one in found.wishes]


def test_the_next_unwatched_of_a_series_are_wanted() -> None:
    episodes = [episode(number, is_played=number in {1, 3}) for number in range(1, 8)]
    episodes[4] = replace(episodes[4], is_remote=True)
    shelf = RuleLibrary(lists={SIGNAL: full(*episodes)}, up=full(episodes[1]))

    found = make_wishes(context(NextUpSettings(count=3), shelf))

    assert titles(found) == ["Part 2", "Part 4", "Part 6"]
    assert found.wishes[0].reason.text == "next up in The Signal"


def test_only_the_series_seen_last_are_wanted() -> None:
    many = [
        episode(1, id=named(f"e{number}"), series_id=named(f"s{number}")) for number in range(4)
    ]
    shelf = RuleLibrary(lists={one.series_id or "": full(one) for one in many}, up=full(*many))

    found = make_wishes(context(NextUpSettings(most_series=2), shelf))

    assert [one.reason.source_id for one in found.wishes] == [named("s0"), named("s1")]


def test_the_next_parts_of_an_audiobook_are_wanted_and_no_other_book_of_its_folder() -> None:
    parts = [part(1, is_played=True), part(2), part(1, "Another"), part(3), part(4)]
    shelf = RuleLibrary(lists={FOLDER: full(*parts)}, books=full(parts[0]))

    assert titles(make_wishes(context(NextUpSettings(count=2), shelf))) == [
        "Chapter 2",
        "Chapter 3",
    ]


def test_a_finished_series_is_let_go_on_its_own_word() -> None:
    held = (hold(episode(4).id, SIGNAL),)
    finished = RuleLibrary(known={SIGNAL: series(SIGNAL, is_played=True)})
    begun = RuleLibrary(known={SIGNAL: series(SIGNAL, is_played=False)})

    assert make_wishes(context(NextUpSettings(), finished, held=held)).unsure_of == frozenset()
    assert make_wishes(context(NextUpSettings(), begun, held=held)).unsure_of == {SIGNAL}
    assert make_wishes(context(NextUpSettings(), RuleLibrary(), held=held)).unsure_of == {SIGNAL}


def test_a_series_that_left_a_list_that_is_whole_is_let_go_if_the_server_knows_it() -> None:
    held = (hold(episode(4).id, SIGNAL),)
    other = episode(1, id=named("e"), series_id=named("s"))
    up = {"up": full(other), "lists": {named("s"): full(other)}}
    known = RuleLibrary(known={SIGNAL: series(SIGNAL, is_played=False)}, **up)  # type: ignore[arg-type]
    lost = RuleLibrary(**up)  # type: ignore[arg-type]

    assert make_wishes(context(NextUpSettings(), known, held=held)).unsure_of == frozenset()
    assert make_wishes(context(NextUpSettings(), lost, held=held)).unsure_of == {SIGNAL}


def test_a_series_that_is_not_seen_as_a_whole_keeps_what_it_had() -> None:
    gaps = ListedItems((episode(1),), complete=False)
    shelf = RuleLibrary(lists={SIGNAL: gaps}, up=full(episode(1)))

    assert make_wishes(context(NextUpSettings(), shelf)).unsure_of == {SIGNAL}
