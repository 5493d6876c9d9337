from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

import pytest

from sidecar.domain.wishes import PIN, Reason, Wish
from sidecar.events import Bus, DeviceChanged, NewsMissed
from sidecar.store.database import Database
from sidecar.store.downloads.queue import Downloads
from sidecar.store.rules.holds import Holds
from tests.fakes.clock import FakeClock
from tests.store.examples import ANN, CARD, STICK, item_id, track, wanted

FORGET = "DELETE FROM holds WHERE rule = 'favourites'"


def wish(number: int, rule: str = "favourites", device: str = STICK) -> Wish:
    return Wish(ANN, device, track(number), Reason(rule, item_id(number), f"because of {rule}"))


def rules(holds: Holds, device: str = STICK) -> set[str]:
    return set(holds.reasons_of(ANN, device))


def test_reasons_are_read_again_only_when_something_there_has_changed(
    db: Database, bus: Bus
) -> None:
    holds = Holds(db, bus)
    holds.keep(wish(1))
    holds.keep(wish(2, "playlists"))
    assert rules(holds) == {"favourites", "playlists"}

    # Nobody tells of this, so it shows whether the rows are read.
    with db.write():
        db.sql(FORGET)
    holds.keep(wish(1, device=CARD))
    bus.publish(DeviceChanged(CARD))
    assert rules(holds) == {"favourites", "playlists"}
    assert rules(holds, CARD) == {"favourites"}

    holds.keep(wish(3, "playlists"))
    assert rules(holds) == {"playlists"}
    assert holds.files_of(ANN, STICK) == {"playlists": 2}


@pytest.mark.parametrize("news", [NewsMissed(), DeviceChanged(STICK)])
def test_what_may_have_changed_while_it_was_read_is_read_again(
    db: Database, bus: Bus, news: NewsMissed | DeviceChanged, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds = Holds(db, bus)
    holds.keep(wish(1))
    read = db.sql

    def read_and_hear(text: str, values: Sequence[object]) -> object:
        found = read(text, values)
        monkeypatch.setattr(db, "sql", read)
        with db.write():
            db.sql(FORGET)
        bus.publish(news)
        return found

    monkeypatch.setattr(db, "sql", read_and_hear)
    assert rules(holds) == {"favourites"}

    assert rules(holds) == set()


@pytest.mark.parametrize("news", [NewsMissed(), DeviceChanged(STICK)])
def test_what_may_have_changed_elsewhere_is_read_again(
    db: Database, bus: Bus, news: NewsMissed | DeviceChanged
) -> None:
    holds = Holds(db, bus)
    holds.keep(wish(1))
    assert rules(holds) == {"favourites"}
    with db.write():
        db.sql(FORGET)

    bus.publish(news)

    assert rules(holds) == set()


@pytest.mark.parametrize(
    ("hears", "kept"), [(lambda: True, {"favourites"}), (lambda: False, set())]
)
def test_nothing_is_kept_where_others_change_it_and_are_not_heard(
    db: Database, bus: Bus, hears: Callable[[], bool], kept: set[str]
) -> None:
    bus.connect(hears)
    holds = Holds(db, bus, is_shared=True)
    holds.keep(wish(1))
    assert rules(holds) == {"favourites"}
    with db.write():
        db.sql(FORGET)

    assert rules(holds) == kept


def test_a_pin_has_its_title_as_soon_as_there_is_a_download(
    db: Database, bus: Bus, clock: FakeClock
) -> None:
    holds, downloads = Holds(db, bus), Downloads(db, bus, clock)
    holds.keep(wish(1, PIN))
    [(before, _)] = holds.pins_of(ANN, STICK).values()

    downloads.queue.add_all([wanted(1)])

    [(after, _)] = holds.pins_of(ANN, STICK).values()
    assert (before, after) == ("because of pin", f"downloaded by you ({track(1).title})")


def test_what_a_page_has_read_before_a_change_is_not_kept_after_it(db: Database, bus: Bus) -> None:
    holds = Holds(db, bus)
    holds.keep(wish(1))

    def change() -> None:
        with db.thread():
            holds.keep(wish(2, "playlists"))

    with db.look():
        assert rules(holds) == {"favourites"}
        other = Thread(target=change)
        other.start()
        other.join()
        rules(holds)

    assert rules(holds) == {"favourites", "playlists"}


def test_what_is_being_changed_is_not_kept(db: Database, bus: Bus) -> None:
    holds = Holds(db, bus)

    def change_and_fail() -> None:
        with db.write():
            holds.keep(wish(1))
            assert rules(holds) == {"favourites"}
            raise KeyError

    with pytest.raises(KeyError):
        change_and_fail()

    assert rules(holds) == set()
