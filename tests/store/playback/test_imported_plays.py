from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import peewee
import pytest

from sidecar.domain.items.item import Item
from sidecar.domain.player_logs.matching import ImportedPlay
from sidecar.domain.player_logs.parsing import LogKind
from sidecar.domain.wishes import PIN, Reason, Wish
from sidecar.store.accounts.accounts import Account
from sidecar.store.downloads.queue import FilePlace, NewDownload
from sidecar.store.playback.imported_plays import ImportedListening, ImportedPlays
from tests.fakes.clock import FakeClock
from tests.services.conftest import ANN, STICK, World, opened, track

BEN = "b" * 32
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened(tmp_path, FakeClock()) as world:
        yield world


def listening(number: int, item: int = 1) -> ImportedListening:
    start = START + timedelta(minutes=number)
    return ImportedListening(
        item_id=f"{item:032x}",
        mark=ImportedPlay(LogKind.PLAYBACK, 1000 + number, 30.5),
        started_at=start,
        ended_at=start + timedelta(seconds=31),
        seconds_heard=30.5,
    )


def queue(world: World, item: Item, user_id: str = ANN) -> None:
    path = f"{item.title}.flac"
    world.downloads.queue.add_all(
        [NewDownload(item=item, device_id=STICK, user_id=user_id, places=[FilePlace(path, path)])]
    )


def test_what_was_begun_is_found_until_it_is_done(world: World) -> None:
    imported = ImportedPlays(world.db)

    begun = imported.begin(ANN, STICK, [listening(1), listening(2)], 7)

    assert imported.list_begun(ANN, STICK) == [begun]
    assert imported.list_begun(BEN, STICK) == []
    imported.mark_done(begun)
    assert imported.list_begun(ANN, STICK) == []
    assert sorted(mark.stamp for _, mark in imported.marks(STICK)) == [1001, 1002]


def test_one_listening_is_never_begun_twice(world: World) -> None:
    imported = ImportedPlays(world.db)
    imported.begin(ANN, STICK, [listening(1)], 1)

    with pytest.raises(peewee.IntegrityError):
        imported.begin(ANN, STICK, [listening(2), listening(1)], 3)

    assert len(list(imported.marks(STICK))) == 1


def test_what_jellyfin_cannot_be_told_is_as_if_it_was_never_begun(world: World) -> None:
    imported = ImportedPlays(world.db)
    begun = imported.begin(ANN, STICK, [listening(1), listening(2)], 2)
    first, _ = imported.split(begun)

    again = imported.begin_again(first, 5)
    imported.forget(again)

    assert again.count == 5
    assert [one.ids for one in imported.list_begun(ANN, STICK)] == [begun.ids[1:]]


def test_a_person_finds_the_files_they_want_or_asked_for(world: World) -> None:
    world.accounts.save(replace(_account(world), user_id=BEN, name="ben", jellyfin_device_id="x"))
    imported = ImportedPlays(world.db)
    for number, owner in ((1, ANN), (2, BEN), (3, BEN)):
        queue(world, track(number), owner)
    for number, holder in ((2, ANN), (1, BEN)):
        wish = Wish(holder, STICK, track(number), Reason(PIN, "x", "downloaded by you"))
        world.holds.keep(wish)

    def found(user_id: str | None) -> list[str]:
        return sorted(one.title for one in imported.files(STICK, user_id))

    assert found(ANN) == ["Tone 2"]
    assert found(BEN) == ["Tone 1", "Tone 3"]

    def found_at(user_id: str | None) -> list[str]:
        keys = ["Tone 1.flac", "Tone 2.flac", "Tone 4.flac"]
        return sorted(one.title for one in imported.files_at(STICK, user_id, keys))

    assert found(None) == ["Tone 1", "Tone 2", "Tone 3"]
    assert found_at(ANN) == ["Tone 2"]
    assert found_at(BEN) == ["Tone 1"]
    assert found_at(None) == ["Tone 1", "Tone 2"]


def _account(world: World) -> Account:
    account = world.accounts.get(ANN)
    assert account is not None
    return account
