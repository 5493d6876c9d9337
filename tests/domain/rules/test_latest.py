from __future__ import annotations

from sidecar.domain.items.item import Item, ItemType
from sidecar.domain.rules.latest import LatestSettings, make_wishes
from tests.fakes.libraries.rule_library import RuleLibrary, context, full, hold, named, song

ALBUMS = [Item(id=named(one), type=ItemType.ALBUM, title=one) for one in ("New", "Newish", "Old")]
LISTS = {one.id: full(song(f"{one.title} 1"), song(f"{one.title} 2")) for one in ALBUMS}


def test_the_newest_albums_are_wanted_newest_first() -> None:
    shelf = RuleLibrary(lists=LISTS, newest=full(*ALBUMS))

    found = make_wishes(context(LatestSettings(albums=2), shelf))

    assert [one.item.title for one in found.wishes] == ["New 1", "New 2", "Newish 1", "Newish 2"]
    assert found.wishes[0].reason.text == "on New, one of the newest albums"
    assert found.unsure_of == frozenset()


def test_no_albums_at_all_lets_nothing_go() -> None:
    held = (hold(named("New 1"), ALBUMS[0].id),)

    found = make_wishes(context(LatestSettings(), RuleLibrary(), held=held))

    assert found.unsure_of == {ALBUMS[0].id}


def test_an_album_without_tracks_keeps_what_it_had() -> None:
    shelf = RuleLibrary(lists={**LISTS, ALBUMS[1].id: RuleLibrary().up}, newest=full(*ALBUMS))

    assert make_wishes(context(LatestSettings(), shelf)).unsure_of == {ALBUMS[1].id}
