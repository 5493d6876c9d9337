from __future__ import annotations

from collections.abc import Sequence

import pytest

from sidecar.domain.items.item import ItemType
from sidecar.domain.rules.favourite_state import FavouriteState
from sidecar.store.accounts.accounts import Accounts
from sidecar.store.database import Database
from sidecar.store.rules.favourites import FavouriteStates
from tests.fakes.clock import FakeClock
from tests.statements import hook
from tests.store.accounts.test_accounts import ANNS, BENS
from tests.store.examples import ANN, BEN, item_id

PRESSED = FavouriteState(is_favorite=True)
TAKEN = FavouriteState(is_favorite=False)
TRACK, ALBUM = item_id(1), item_id(2)


@pytest.fixture
def hearts(db: Database, clock: FakeClock) -> FavouriteStates:
    Accounts(db).save(ANNS)
    Accounts(db).save(BENS)
    return FavouriteStates(db, clock)


def test_each_person_has_hearts_of_their_own(hearts: FavouriteStates) -> None:
    hearts.save(ANN, TRACK, ItemType.AUDIO, PRESSED)
    hearts.save(ANN, ALBUM, ItemType.ALBUM, PRESSED)
    hearts.save(BEN, TRACK, ItemType.AUDIO, TAKEN)

    assert hearts.favourites(ANN) == {TRACK: ItemType.AUDIO, ALBUM: ItemType.ALBUM}
    assert hearts.favourites(BEN) == {}
    assert (hearts.get(ANN, TRACK), hearts.get(BEN, TRACK)) == (PRESSED, TAKEN)
    assert hearts.get(BEN, ALBUM) is None


def test_the_last_belief_counts(hearts: FavouriteStates) -> None:
    hearts.save(ANN, TRACK, ItemType.AUDIO, PRESSED)
    hearts.save(ANN, TRACK, ItemType.AUDIO, TAKEN)

    assert hearts.favourites(ANN) == {}

    hearts.forget(ANN, TRACK)

    assert hearts.get(ANN, TRACK) is None


def test_a_type_once_known_stays_known(hearts: FavouriteStates) -> None:
    hearts.save(ANN, TRACK, None, PRESSED)
    assert hearts.favourites(ANN) == {TRACK: ItemType.OTHER}

    hearts.save(ANN, TRACK, ItemType.AUDIO, PRESSED)
    hearts.save(ANN, TRACK, None, FavouriteState(is_favorite=True, at_risk=True))

    assert hearts.favourites(ANN) == {TRACK: ItemType.AUDIO}


def test_words_in_doubt_are_found_oldest_first(hearts: FavouriteStates, clock: FakeClock) -> None:
    hearts.save(ANN, ALBUM, ItemType.ALBUM, FavouriteState(is_favorite=True, at_risk=True))
    clock.advance(1)
    hearts.save(
        ANN, TRACK, ItemType.AUDIO, FavouriteState(is_favorite=False, at_risk=True, restore=True)
    )
    hearts.save(ANN, item_id(3), ItemType.AUDIO, PRESSED)
    hearts.save(BEN, item_id(4), ItemType.AUDIO, FavouriteState(is_favorite=True, at_risk=True))

    assert hearts.list_in_doubt(ANN) == [ALBUM, TRACK]


@pytest.mark.sqlite
def test_looking_for_doubts_does_not_read_every_heart(
    db: Database, hearts: FavouriteStates
) -> None:
    seen: list[tuple[str, Sequence[object]]] = []
    end = hook(db, lambda sql, values: seen.append((sql, values)))
    hearts.list_in_doubt(ANN)
    end()

    (sql, parameters) = seen[0]
    plan = " ".join(row[3] for row in db.sql(f"EXPLAIN QUERY PLAN {sql}", parameters))

    assert "hearts_in_doubt" in plan
