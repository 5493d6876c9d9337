from __future__ import annotations

from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.context import Chosen
from sidecar.domain.rules.library import ListedItems
from sidecar.domain.rules.playlists import PlaylistsSettings, make_wishes
from tests.fakes.libraries.rule_library import RuleLibrary, context, full, named, song

ONE, TWO, THREE = song("1"), song("2"), song("3")
ROAD = Chosen(playlist_id=named("road"), title="Road trip")
SLOW = Chosen(playlist_id=named("slow"), title="Slow")


def test_playlists_are_wanted_in_the_order_they_were_chosen_and_in_their_own() -> None:
    shelf = RuleLibrary(
        lists={ROAD.playlist_id: full(TWO, ONE, TWO), SLOW.playlist_id: full(THREE, ONE)}
    )

    found = make_wishes(context(PlaylistsSettings(), shelf, chosen=(SLOW, ROAD)))

    assert [(one.item.title, one.reason.text) for one in found.wishes] == [
        ("3", "on your playlist Slow"),
        ("1", "on your playlist Slow"),
        ("2", "on your playlist Road trip"),
        ("1", "on your playlist Road trip"),
    ]


def test_a_playlist_that_is_empty_gone_or_has_gaps_lets_nothing_go() -> None:
    shelf = RuleLibrary(lists={ROAD.playlist_id: ListedItems((ONE,), complete=False)})

    found = make_wishes(context(PlaylistsSettings(), shelf, chosen=(ROAD, SLOW)))

    assert found.unsure_of == {ROAD.playlist_id, SLOW.playlist_id}


def test_an_album_an_artist_and_a_series_are_kept_as_they_are() -> None:
    series = Chosen(playlist_id=named("signal"), title="The Signal", kind=ItemType.SERIES)
    shelf = RuleLibrary(lists={series.playlist_id: full(TWO)})

    found = make_wishes(context(PlaylistsSettings(), shelf, chosen=(series, SLOW)))

    assert [(one.item.title, one.reason.text) for one in found.wishes] == [
        ("2", "you keep The Signal in sync")
    ]
    assert found.unsure_of == {SLOW.playlist_id}


def test_nothing_chosen_is_nothing_wanted() -> None:
    assert make_wishes(context(PlaylistsSettings(), RuleLibrary())).wishes == ()
