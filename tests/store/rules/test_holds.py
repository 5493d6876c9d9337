from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sidecar.domain.wishes import Reason, Wish
from sidecar.events import Bus, Event, HoldsChanged
from sidecar.messages import Message, msg
from sidecar.store.database import Database
from sidecar.store.dialects.postgresql import PostgresqlAddress
from sidecar.store.downloads.folders import DeviceFolders
from sidecar.store.downloads.queue import Downloads
from sidecar.store.rules.holds import Holds
from tests import postgres
from tests.fakes.clock import FakeClock
from tests.store.conftest import put_devices
from tests.store.examples import ANN, BEGIN, BEN, CARD, STICK, item_id, track, wanted

ALBUM = item_id(900)
TOMORROW = BEGIN + timedelta(days=1)


@pytest.fixture
def holds(db: Database, bus: Bus) -> Holds:
    return Holds(db, bus)


def wish(number: int = 1, user: str = ANN, device: str = STICK, source: str | None = None) -> Wish:
    reason = Reason("favourites", source or item_id(number), "your favourite")
    return Wish(user, device, track(number), reason)


def test_a_wish_is_kept_once_and_told_once(holds: Holds, news: list[Event]) -> None:
    assert holds.keep(wish())
    assert not holds.keep(wish())

    assert news == [HoldsChanged(STICK)]
    assert holds.holders(STICK, item_id(1)) == [ANN]


def test_many_wishes_are_told_once_for_each_device(
    db: Database, holds: Holds, news: list[Event]
) -> None:
    wishes = [wish(number, device=one) for number in range(1, 9) for one in (STICK, CARD)]

    with db.write():
        holds.keep_all(wishes, holds.facts(wishes))
    holds.release(user_id=ANN, at=TOMORROW)
    holds.drop_due(TOMORROW)

    assert len(news) == 6
    assert all(
        {*news[at : at + 2]} == {HoldsChanged(STICK), HoldsChanged(CARD)} for at in (0, 2, 4)
    )


def test_an_item_can_be_held_for_several_reasons(holds: Holds) -> None:
    assert holds.keep(wish())
    assert holds.keep(wish(source=ALBUM))
    assert holds.keep(wish(user=BEN))
    assert holds.keep(wish(device=CARD))

    assert holds.holders(STICK, item_id(1)) == [ANN, BEN]
    assert holds.holders(CARD, item_id(1)) == [ANN]
    assert holds.holders(STICK, item_id(2)) == []


def test_a_hold_that_ends_already_can_be_made_to_end_sooner(holds: Holds) -> None:
    for number in (1, 2, 3):
        holds.keep(wish(number))
    holds.release(user_id=ANN, item_id=item_id(1), at=TOMORROW)
    holds.release(user_id=ANN, item_id=item_id(2), at=BEGIN)
    all_of_them = holds.of_rule(ANN, STICK, "favourites")

    assert holds.release_these(all_of_them[:2], BEGIN + timedelta(hours=1)) == 0
    assert holds.release_these(all_of_them[:2], BEGIN + timedelta(hours=1), even_ending=True) == 1

    assert [one.release_at for one in holds.of_rule(ANN, STICK, "favourites")] == [
        BEGIN + timedelta(hours=1),
        BEGIN,
        None,
    ]


def test_all_holds_on_an_item_are_dropped_and_told(holds: Holds, news: list[Event]) -> None:
    for one in (wish(), wish(source=ALBUM), wish(user=BEN), wish(device=CARD), wish(2)):
        holds.keep(one)
    news.clear()

    dropped = holds.drop(STICK, item_id(1))

    assert [one.user_id for one in dropped] == [ANN, ANN, BEN]
    assert holds.holders(STICK, item_id(1)) == []
    assert holds.holders(CARD, item_id(1)) == holds.holders(STICK, item_id(2)) == [ANN]
    assert news == [HoldsChanged(STICK)]
    assert holds.drop(STICK, item_id(1)) == []


def test_a_released_hold_lasts_until_its_time(holds: Holds, news: list[Event]) -> None:
    holds.keep(wish())
    news.clear()

    assert holds.release(user_id=ANN, item_id=item_id(1), at=TOMORROW) == 1

    assert holds.drop_due(TOMORROW - timedelta(milliseconds=1)) == []
    assert holds.holders(STICK, item_id(1)) == [ANN]
    dropped = holds.drop_due(TOMORROW)
    assert [(one.user_id, one.item_id, one.release_at) for one in dropped] == [
        (ANN, item_id(1), TOMORROW)
    ]
    assert dropped[0].reason == Reason("favourites", item_id(1), "your favourite")
    assert holds.holders(STICK, item_id(1)) == []
    assert news == [HoldsChanged(STICK)] * 2


def test_a_wish_that_comes_back_in_time_is_kept_without_end(holds: Holds) -> None:
    holds.keep(wish())
    holds.release(user_id=ANN, at=TOMORROW)

    assert not holds.keep(wish())

    assert holds.drop_due(TOMORROW) == []
    assert holds.holders(STICK, item_id(1)) == [ANN]


def test_releasing_again_does_not_put_the_end_off(holds: Holds) -> None:
    holds.keep(wish())
    holds.release(user_id=ANN, at=TOMORROW)

    assert holds.release(user_id=ANN, at=TOMORROW + timedelta(days=9)) == 0

    assert [one.release_at for one in holds.drop_due(TOMORROW)] == [TOMORROW]


def test_what_left_an_album_is_released_and_the_rest_stays(holds: Holds) -> None:
    for number in (1, 2, 3):
        holds.keep(wish(number, source=ALBUM))
    holds.keep(wish(3))
    holds.keep(wish(3, user=BEN, source=ALBUM))

    ended = holds.release(
        user_id=ANN,
        rule="favourites",
        source_id=ALBUM,
        at=BEGIN,
        except_items={item_id(1), item_id(2)},
    )

    assert ended == 1
    assert [one.item_id for one in holds.drop_due(BEGIN)] == [item_id(3)]
    assert holds.holders(STICK, item_id(3)) == [ANN, BEN]
    kept = holds.of_source(ANN, "favourites", ALBUM)
    assert [one.item_id for one in kept] == [item_id(1), item_id(2)]


def test_one_device_can_be_released_alone(holds: Holds) -> None:
    holds.keep(wish())
    holds.keep(wish(device=CARD))

    holds.release(user_id=ANN, device_id=CARD, at=BEGIN)

    assert [one.device_id for one in holds.drop_due(BEGIN)] == [CARD]


@pytest.mark.sqlite
def test_a_thousand_and_more_are_released_together(db: Database, holds: Holds) -> None:
    with db.write():
        for number in range(1100):
            holds.keep(wish(number, source=ALBUM))

    assert holds.release(user_id=ANN, source_id=ALBUM, at=BEGIN) == 1100
    assert len(holds.drop_due(BEGIN)) == 1100


def test_reasons_are_found_for_many_downloads_at_once(holds: Holds, downloads: Downloads) -> None:
    ids = [downloads.queue.add_all([wanted(number)])[0].id for number in (1, 2, 3)]
    holds.keep(wish(1))
    holds.keep(wish(1, user=BEN, source=ALBUM))
    holds.keep(wish(2, device=CARD))
    holds.keep(wish(3))

    found = holds.reasons_for(ids)

    assert {number: [one.user_id for one in some] for number, some in found.items()} == {
        ids[0]: [ANN, BEN],
        ids[1]: [],
        ids[2]: [ANN],
    }
    assert found[ids[0]][1].reason.source_id == ALBUM
    assert holds.reasons_for([]) == {}


def test_a_reason_is_read_back_as_a_message(holds: Holds) -> None:
    text = msg("on your playlist {title}", title="Road")
    holds.keep(Wish(ANN, STICK, track(1), Reason("playlists", ALBUM, text)))

    (held,) = holds.of_rule(ANN, STICK, "playlists")

    assert isinstance(held.reason.text, Message)
    assert held.reason.text.to_json() == text.to_json()


def test_the_plain_reason_of_an_earlier_version_is_read_and_becomes_a_message(
    holds: Holds,
) -> None:
    text = msg("on your playlist {title}", title="Road")
    holds.keep(Wish(ANN, STICK, track(1), Reason("playlists", ALBUM, str.__str__(text))))
    (old,) = holds.of_rule(ANN, STICK, "playlists")

    holds.keep(Wish(ANN, STICK, track(1), Reason("playlists", ALBUM, text)))
    (new,) = holds.of_rule(ANN, STICK, "playlists")

    assert not isinstance(old.reason.text, Message)
    assert old.reason.text == new.reason.text
    assert isinstance(new.reason.text, Message)


def test_the_reason_of_all_that_comes_from_one_item_is_known(holds: Holds) -> None:
    assert holds.reason_of(ANN, "favourites", ALBUM) is None

    holds.keep(wish(1, source=ALBUM))
    holds.keep(wish(2, user=BEN))

    assert holds.reason_of(ANN, "favourites", ALBUM) == wish(source=ALBUM).reason
    assert holds.reason_of(BEN, "favourites", ALBUM) is None


def test_to_hold_many_reads_a_few_rows_for_each_however_empty_the_tables_were(
    postgresql: postgres.Server, tmp_path: Path, clock: FakeClock, bus: Bus
) -> None:
    db = Database.open_server(PostgresqlAddress(postgresql.make("many")), tmp_path / "sidecar.db")
    put_devices(db)
    holds, downloads = Holds(db, bus), Downloads(db, bus, clock)
    read = []
    for first in (1, 301, 601, 901):
        wishes = [wish(number) for number in range(first, first + 300)]
        new = [wanted(number) for number in range(first, first + 300)]
        with db.write():
            holds.keep_all(wishes, holds.facts(wishes))
            there = DeviceFolders(db, STICK)
            there.learn(place.path for one in new for place in one.places)
            downloads.queue.add_all(new, {STICK: there})
            ((rows,),) = db.sql(
                "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables"
                " WHERE relname = 'downloads'"
            )
        read.append(rows)
    db.close()
    postgresql.drop("many")

    assert max(read) < 30 * 1200
