from __future__ import annotations

from sidecar.domain.rules.context import Chosen
from sidecar.store.database import Database
from sidecar.store.rules.exclusions import Exclusions
from sidecar.store.rules.playlists import ChosenPlaylists
from sidecar.store.rules.settings import RuleSettingsStore
from tests.fakes.clock import FakeClock
from tests.store.examples import ANN, BEN, CARD, STICK

ROAD = Chosen(playlist_id="1" * 32, title="Road trip")
SLOW = Chosen(playlist_id="2" * 32, title="Slow")


def test_playlists_stay_in_the_order_they_were_chosen(db: Database) -> None:
    chosen = ChosenPlaylists(db)
    chosen.choose(ANN, STICK, SLOW)
    chosen.choose(ANN, STICK, ROAD)
    renamed = Chosen(playlist_id=SLOW.playlist_id, title="Slower")

    chosen.choose(ANN, STICK, renamed)

    assert chosen.of(ANN, STICK) == (renamed, ROAD)
    assert chosen.of(ANN, CARD) == chosen.of(BEN, STICK) == ()
    assert chosen.drop(ANN, STICK, SLOW.playlist_id)
    assert not chosen.drop(ANN, STICK, SLOW.playlist_id)
    assert chosen.of(ANN, STICK) == (ROAD,)


def test_an_exclusion_is_for_one_device_or_for_all(db: Database, clock: FakeClock) -> None:
    exclusions = Exclusions(db, clock)
    exclusions.put(ANN, "latest", "1" * 32)
    exclusions.put(ANN, "latest", "2" * 32, device_id=STICK)
    exclusions.put(ANN, "latest", "2" * 32, device_id=STICK)

    assert exclusions.of(ANN, STICK) == {("latest", "1" * 32), ("latest", "2" * 32)}
    assert exclusions.of(ANN, CARD) == {("latest", "1" * 32)}
    assert exclusions.all_of(ANN) == [
        (None, "latest", "1" * 32, None),
        (STICK, "latest", "2" * 32, None),
    ]
    assert exclusions.all_of(BEN) == []
    assert exclusions.of(BEN, STICK) == frozenset()
    assert not exclusions.remove(ANN, "latest", "2" * 32)
    assert exclusions.remove(ANN, "latest", "2" * 32, device_id=STICK)
    assert exclusions.of(ANN, STICK) == {("latest", "1" * 32)}


def test_only_what_was_changed_for_a_device_is_kept(db: Database) -> None:
    store = RuleSettingsStore(db)
    store.save(STICK, "latest", {"albums": 3}, seen={})
    store.save(STICK, "latest", {"enabled": True, "grace": "2 days"}, seen={"albums": 3})

    assert store.of(STICK, "latest") == {"enabled": True, "grace": "2 days"}
    assert store.of(CARD, "latest") == {}

    store.save(STICK, "latest", {}, seen=store.of(STICK, "latest"))
    assert store.of(STICK, "latest") == {}
