"""Playlists that were made or changed on a device come home, with the demo server and a stick."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from sidecar.demo.protocol.messages import Reply, Request, empty_reply
from sidecar.errors import NotPossible, NotVisible, ServerAway
from sidecar.services.players.device_playlists.views import (
    ListChanged,
    ListDecision,
    ListKind,
    ReturnedList,
)
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, moving_house, tracks

EVENING = "Playlists/Evening.m3u8"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, tracks(5)) as built:
        yield built


def path_of(house: MovingHouse, number: int) -> str:
    return house.row(f"Tone {number}").file_path


def put(house: MovingHouse, path: str, *numbers: int, mark: bytes = b"") -> None:
    """Write a list as a player on Windows would."""
    lines = ["#EXTM3U", *("..\\" + path_of(house, one).replace("/", "\\") for one in numbers)]
    (house.stick / path).parent.mkdir(exist_ok=True)
    (house.stick / path).write_bytes(mark + "\r\n".join(lines).encode())


def write_lists(house: MovingHouse) -> None:
    house.clock.advance(60)
    house.services.background.playlists.changed()
    house.clock.advance(60)
    house.services.background.playlists.step()


def evening(house: MovingHouse, *numbers: int) -> str:
    """Let ann keep a playlist in sync: all its files are on the stick, and so is the list."""
    items = {one.title: one for one in house.items()}
    house.fill(*items.values())
    ann = house.person("ann").user_id
    ids = [items[f"Tone {one}"].id for one in numbers]
    made = house.server.core.playlists.create("Evening", ann, ids, is_public=False)
    house.services.web.preferences.choose(house.person("ann"), STICK, made.id)
    house.store.playlist_orders.learn(ann, made.id, ids)
    write_lists(house)
    assert (house.stick / EVENING).is_file()
    return made.id


def in_jellyfin(house: MovingHouse, playlist_id: str) -> list[int]:
    titles = {one.id: int(one.title.rpartition(" ")[2]) for one in house.items()}
    return [titles[one] for one in house.server.core.playlists.by_id[playlist_id].item_ids]


def found(house: MovingHouse, name: str = "ann") -> list[ReturnedList]:
    return list(house.services.web.playlist_returns.lists(house.person(name), STICK).lists)


def hearts(house: MovingHouse) -> set[str]:
    every = house.client().items([one.id for one in house.items()]).values()
    return {one.title for one in every if one.is_favorite}


def take(house: MovingHouse, wanted: ListDecision = ListDecision.TAKE, name: str = "ann") -> str:
    (one,) = found(house, name)
    return answer(house, one, wanted, name)


def answer(
    house: MovingHouse,
    one: ReturnedList,
    wanted: ListDecision = ListDecision.TAKE,
    name: str = "ann",
) -> str:
    returns, person = house.services.web.playlist_returns, house.person(name)
    return returns.answer(person, STICK, one.path, one.mark, wanted)


@contextmanager
def losing_answers(
    house: MovingHouse, path: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Let Jellyfin do what it is told there, and the answer be lost."""
    answer_it = house.server.answer

    def lose(request: Request) -> Reply:
        reply = answer_it(request)
        is_lost = request.method != "GET" and request.path.startswith(path)
        return empty_reply(HTTPStatus.SERVICE_UNAVAILABLE) if is_lost else reply

    with monkeypatch.context() as patch:
        patch.setattr(house.server, "answer", lose)
        yield


def undo(house: MovingHouse, path: str) -> None:
    house.services.web.playlist_returns.undo(house.person("ann"), STICK, path)


def undoable(house: MovingHouse) -> list[str]:
    return list(house.services.web.playlist_returns.lists(house.person("ann"), STICK).may_undo)


def test_a_list_of_ours_that_was_changed_comes_home_and_is_ours_again(house: MovingHouse) -> None:
    playlist = evening(house, 1, 2, 3)
    assert found(house) == []
    put(house, EVENING, 4, 1, 3, mark=b"\xef\xbb\xbf")
    changed = (house.stick / EVENING).read_bytes()
    write_lists(house)
    assert (house.stick / EVENING).read_bytes() == changed, "it waits for an answer"
    assert [one.name for one in (house.stick / "Playlists").iterdir()] == ["Evening.m3u8"]

    (one,) = found(house)
    assert one.text == "Evening was changed on Car stick: 1 added and 1 removed"
    assert (one.changes.added, one.changes.removed) == (["Tone 4"], ["Tone 2"])
    assert one.in_jellyfin is None
    assert take(house) == "Evening in Jellyfin is as on Car stick"

    assert in_jellyfin(house, playlist) == [4, 1, 3]
    assert found(house) == [], "once"
    write_lists(house)
    told = (house.stick / EVENING).read_text()
    assert [told.index(f"Tone {one}.flac") for one in (4, 1, 3)] == sorted(
        told.index(f"Tone {one}.flac") for one in (4, 1, 3)
    )
    assert "Tone 2" not in told
    house.services.web.playlist_returns.undo(house.person("ann"), STICK, EVENING)
    assert in_jellyfin(house, playlist) == [1, 2, 3]
    with pytest.raises(NotVisible):
        house.services.web.playlist_returns.undo(house.person("ann"), STICK, EVENING)


def test_both_changed_is_shown_and_decided_by_a_person(house: MovingHouse) -> None:
    playlist = evening(house, 1, 2, 3)
    put(house, EVENING, 1, 2, 3, 4)
    there = house.server.core.playlists.by_id[playlist]
    there.item_ids = [there.item_ids[2], there.item_ids[0], house.item("Tone 5").id]

    (one,) = found(house)
    assert one.changes.added == ["Tone 4"]
    assert one.in_jellyfin is not None
    assert (one.in_jellyfin.removed, one.in_jellyfin.is_reordered) == (["Tone 2"], True)
    take(house)
    assert in_jellyfin(house, playlist) == [1, 5, 3, 4]

    write_lists(house)
    put(house, EVENING, 3)
    take(house, ListDecision.IGNORE)
    assert in_jellyfin(house, playlist) == [1, 5, 3, 4]
    write_lists(house)
    assert "Tone 4" in (house.stick / EVENING).read_text(), "it is Jellyfin's again"


def test_a_list_that_a_person_made_becomes_a_playlist_of_theirs(house: MovingHouse) -> None:
    house.fill(*house.items())
    put(house, "road.m3u", 2, 1)
    road = house.stick / "road.m3u"
    road.write_bytes(road.read_bytes() + b"\r\nhttps://radio.example/x\r\n")
    (house.stick / "empty.m3u").write_bytes(b"#EXTM3U\n../nothing.mp3\n")

    (one,) = found(house)
    assert (one.text, one.unknown) == ("road was made on Car stick: 2 tracks", 1)
    take(house)
    (made,) = house.server.core.playlists.by_id.values()
    assert (made.name, made.owner_id) == ("road", house.person("ann").user_id)
    assert in_jellyfin(house, made.id) == [2, 1]
    assert found(house) == []
    put(house, "road.m3u", 2, 1, 3)
    take(house)
    assert in_jellyfin(house, made.id) == [2, 1, 3]


def test_a_new_playlist_is_made_once_whatever_is_cut_off_and_can_be_taken_back(
    house: MovingHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.fill(*house.items())
    playlists, ann = house.server.core.playlists, house.person("ann").user_id
    other = playlists.create("road", ann, [house.item("Tone 5").id])
    put(house, "road.m3u", 2, 1)
    with losing_answers(house, "/Playlists", monkeypatch), pytest.raises(ServerAway):
        take(house)
    assert undoable(house) == [], "nobody knows yet"
    put(house, "road.m3u", 1, 2, 3)
    take(house)

    (made,) = playlists.by_id.keys() - {other.id}
    assert in_jellyfin(house, made) == [1, 2, 3]
    assert found(house) == []
    assert undoable(house) == ["road.m3u"]
    playlists.by_id[made].add([house.item("Tone 4").id], None)
    with pytest.raises(NotPossible, match="changed in Jellyfin since"):
        undo(house, "road.m3u")
    playlists.by_id[made].remove([house.item("Tone 4").id])
    undo(house, "road.m3u")
    assert list(playlists.by_id) == [other.id]
    assert (found(house), undoable(house)) == ([], [])
    put(house, "road.m3u", 3)
    assert [one.kind for one in found(house)] == [ListKind.NEW]


def test_what_was_cut_off_half_way_is_taken_back_whole_and_nothing_of_later(
    house: MovingHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    playlist = evening(house, 1, 2, 3)
    put(house, EVENING, 3, 4)
    put(house, "Hearts.m3u", 1, 2)
    for one in found(house):
        with losing_answers(house, "/", monkeypatch), pytest.raises(ServerAway):
            answer(house, one)
    assert (len(hearts(house)), in_jellyfin(house, playlist)) == (1, [3])
    for one in found(house):
        answer(house, one)
    assert (hearts(house), in_jellyfin(house, playlist)) == ({"Tone 1", "Tone 2"}, [3, 4])

    house.server.core.playlists.by_id[playlist].add([house.item("Tone 5").id], 0)
    undo(house, "Hearts.m3u")
    undo(house, EVENING)

    assert hearts(house) == set()
    assert in_jellyfin(house, playlist) == [5, 1, 2, 3], "what came since stays"
    assert undoable(house) == []


def test_a_list_called_hearts_sets_hearts_and_only_those_that_are_new(house: MovingHouse) -> None:
    first, second, *_ = house.items()
    house.fill(*house.items())
    house.client().set_favourite(first.id, value=True)
    put(house, "Playlists/HERZEN.m3u8", 1, 2)

    assert take(house) == "1 hearts were set and 0 taken away"
    assert hearts(house) == {first.title, second.title}
    house.services.web.playlist_returns.undo(house.person("ann"), STICK, "Playlists/HERZEN.m3u8")
    assert hearts(house) == {first.title}


def test_only_what_was_looked_at_is_taken_and_only_by_whom_it_concerns(
    tmp_path: Path,
) -> None:
    with moving_house(tmp_path, tracks(5), change=lambda it: it.update(users=["ann"])) as house:
        playlist = evening(house, 1, 2, 3)
        put(house, EVENING, 1)
        (one,) = found(house)
        put(house, EVENING, 2)
        returns, ann = house.services.web.playlist_returns, house.person("ann")
        with pytest.raises(ListChanged):
            returns.answer(ann, STICK, one.path, one.mark, ListDecision.TAKE)
        with pytest.raises(NotVisible):
            returns.lists(house.person("ben"), STICK)
        admin = house.person("admin")
        assert found(house, "admin") == [], "it is ann's list"
        with pytest.raises(NotPossible):
            returns.answer(admin, STICK, EVENING, one.mark, ListDecision.TAKE)
        assert in_jellyfin(house, playlist) == [1, 2, 3]
