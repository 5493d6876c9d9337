"""A title that changed renames the file where it lies; what lies beside it follows."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from sidecar.device import tree
from sidecar.device.folder import DeviceFolder
from sidecar.domain.downloads.actions import Action
from sidecar.domain.downloads.download import Download, Status
from sidecar.domain.files.groups import Group
from sidecar.domain.files.naming import make_path_key
from sidecar.domain.files.presets import PRESETS, PresetName
from sidecar.domain.items.item import Item
from sidecar.domain.rules.context import Chosen
from sidecar.events import DownloadChanged, Event
from sidecar.jellyfin.library.file_index import ServerFileIndex
from sidecar.services.downloads.commands import ActionResult, DownloadCommand, ResultKind
from sidecar.services.identity.renaming import FileRenaming
from sidecar.store.downloads.insert import FilePlace
from tests.domain.files.test_m3u import read_back
from tests.services.conftest import STICK
from tests.services.identity.house import MovingHouse, moving_house, tracks

FOLDER = "The Sine Waves/First Light (2019)"
RENAMED = "The Sine Waves/Second Light (2020)"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[MovingHouse]:
    with moving_house(tmp_path, tracks(2)) as built:
        built.fill(*built.items())
        yield built


@pytest.fixture
def renaming(house: MovingHouse) -> FileRenaming:
    services = house.services
    return FileRenaming(
        house.store.downloads,
        services.devices.registry,
        house.bus,
    )


def retag(house: MovingHouse) -> None:
    """The album got another name, year and place, and its first track another title."""
    entries = [dict(one, album="Second Light", year=2020) for one in house.listing["tracks"]]
    entries[0] |= {"title": "Tone One"}
    house.rescan(media_root="/mnt/other", tracks=entries)
    house.look()


def inode(house: MovingHouse, row: Download) -> int:
    return (house.stick / row.file_path).stat().st_ino


def test_one_rename_each_and_lyrics_cover_and_row_follow(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    own = house.services.devices.registry.get(STICK).folder.own_files
    own.put(f"{FOLDER}/1-01 - Tone 1.lrc", b"la")
    own.put(f"{FOLDER}/cover.jpg", b"a picture")
    first, _ = before = house.rows()
    inodes = [inode(house, one) for one in before]
    retag(house)

    renaming.step()

    assert house.files() == [f"{RENAMED}/1-01 - Tone One.flac", f"{RENAMED}/1-02 - Tone 2.flac"]
    after = house.rows()
    assert [one.id for one in after] == [one.id for one in before]
    assert [one.file_path for one in after] == house.files()
    assert [inode(house, one) for one in after] == inodes
    assert [(one.title, one.album) for one in after] == [
        ("Tone One", "Second Light"),
        ("Tone 2", "Second Light"),
    ]
    assert (house.stick / RENAMED / "1-01 - Tone One.lrc").read_bytes() == b"la"
    assert (house.stick / RENAMED / "cover.jpg").read_bytes() == b"a picture"
    assert not (house.stick / first.file_path).with_suffix(".lrc").exists()
    assert [one.wanted_path for one in after] == [None, None]
    assert house.server.fetched == 0
    house.services.background.companions.step()
    house.clock.advance(60)
    house.services.background.companions.step()
    assert not (house.stick / FOLDER / "cover.jpg").exists()


def test_another_title_under_the_same_id_renames_as_well(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    looking, ann = house.services.rules.followers.looking, house.person("ann").user_id
    before = house.row("Tone 1")
    house.listing["tracks"][0]["title"] = "Tone One"
    house.rescan()
    looking.look_at_names(ann, ["f" * 32, house.row("Tone 2").item_id])
    assert house.row("Tone 1") == before

    looking.look_at_names(ann, [before.item_id])
    renaming.step()

    row = house.row("Tone One")
    assert (row.id, row.item_id, row.file_path) == (
        before.id,
        before.item_id,
        f"{FOLDER}/1-01 - Tone One.flac",
    )
    assert (row.source_etag, row.content_hash) == (before.source_etag, before.content_hash)
    assert row.file_path in house.files()
    assert len(house.files()) == 2


def test_a_name_that_something_has_is_not_taken_from_it(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    stranger = house.stick / RENAMED / "1-01 - Tone One.flac"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"mine")
    retag(house)

    renaming.step()

    assert stranger.read_bytes() == b"mine"
    row = house.row("Tone One")
    assert row.file_path == f"{RENAMED}/1-01 - Tone One [{row.item_id[:8]}].flac"
    assert (house.stick / row.file_path).exists()


def test_killed_between_the_rename_and_the_row_it_goes_on(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    retag(house)
    row = house.row("Tone One")
    assert row.wanted_path is not None
    (house.stick / row.wanted_path).parent.mkdir(parents=True)
    (house.stick / row.file_path).rename(house.stick / row.wanted_path)

    renaming.step()

    assert house.row("Tone One").file_path == row.wanted_path
    assert len(house.files()) == 2


def test_what_a_person_has_at_the_new_name_is_not_taken_for_the_renamed_file(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    """Of the same length: a tagger that renames files keeps it as well."""
    retag(house)
    row = house.row("Tone One")
    assert row.wanted_path is not None
    theirs = house.stick / row.wanted_path
    theirs.parent.mkdir(parents=True)
    (house.stick / row.file_path).unlink()
    theirs.write_bytes(b"y" * (row.file_size or 0))

    renaming.step()

    assert house.row("Tone One").file_path == row.file_path


def test_what_the_watcher_of_the_device_sees_renamed_first_keeps_its_new_name(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    retag(house)
    planned = house.rows()

    def watch(news: Event) -> None:
        """Move the second file, with its row, once the first one is renamed."""
        if not isinstance(news, DownloadChanged):
            return
        others = [one for one in planned if one.id != news.download.id]
        planned.clear()
        for other in others:
            wanted = other.wanted_path or ""
            (house.stick / other.file_path).rename(house.stick / wanted)
            seen.append(
                house.store.downloads.queue.follow(other, FilePlace(wanted, make_path_key(wanted)))
            )

    seen: list[bool] = []
    house.bus.subscribe(watch)
    renaming.step()

    assert seen == [True]
    assert house.files() == [f"{RENAMED}/1-01 - Tone One.flac", f"{RENAMED}/1-02 - Tone 2.flac"]
    assert [one.file_path for one in house.rows()] == house.files()
    assert [one.wanted_path for one in house.rows()] == [None, None]


def delete(house: MovingHouse, row: Download) -> ActionResult:
    person = house.person("ann")
    return house.services.web.actions.act(person, row.id, DownloadCommand(action=Action.DELETE))


def once(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[str], object]) -> None:
    """Have something else happen once, right before the first file is removed or renamed."""
    whole, acts = getattr(DeviceFolder, name), iter([act])

    def late(folder: DeviceFolder, path: str, *more: object, **known: object) -> bool:
        if then := next(acts, None):
            then(path)
        return bool(whole(folder, path, *more, **known))

    monkeypatch.setattr(DeviceFolder, name, late)


def test_what_is_renamed_right_before_it_is_deleted_is_deleted(
    house: MovingHouse, renaming: FileRenaming, monkeypatch: pytest.MonkeyPatch
) -> None:
    retag(house)
    row = house.row("Tone One")
    once(monkeypatch, "remove", lambda _path: renaming.step())

    assert delete(house, row).result is ResultKind.DONE

    assert house.row("Tone One").status is Status.REMOVED
    assert house.files() == [f"{RENAMED}/1-02 - Tone 2.flac"]


def test_what_is_deleted_while_it_is_renamed_is_gone(
    house: MovingHouse, renaming: FileRenaming, monkeypatch: pytest.MonkeyPatch
) -> None:
    retag(house)
    row = house.row("Tone One")
    sync_above = tree.sync_above

    def delete_then(root: int, fresh: Sequence[str]) -> None:
        """The last step of a rename: the file has its new name, and the row says the old one."""
        sync_above(root, fresh)
        if house.row("Tone One").status is Status.COMPLETED:
            assert delete(house, row).result is ResultKind.DONE

    monkeypatch.setattr(tree, "sync_above", delete_then)
    renaming.step()

    assert house.row("Tone One").status is Status.REMOVED
    assert house.files() == [f"{RENAMED}/1-02 - Tone 2.flac"]


def test_a_name_that_changes_again_while_the_file_is_renamed_is_not_forgotten(
    house: MovingHouse, renaming: FileRenaming, monkeypatch: pytest.MonkeyPatch
) -> None:
    retag(house)
    row, last = house.row("Tone One"), f"{RENAMED}/1-01 - Tone I.flac"
    once(
        monkeypatch,
        "rename",
        lambda _path: house.store.downloads.identity.plan_rename(row.id, last),
    )

    renaming.step()
    renaming.step()

    assert house.row("Tone One").file_path == last
    assert last in house.files()


def test_a_title_that_changes_again_while_albums_are_asked_for_counts(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    """As where the looks of two accounts overlap."""
    matching, row = house.services.rules.matching, house.row("Tone 1")

    class Slow(ServerFileIndex):
        def groups(self, items: Collection[Item]) -> Mapping[str, Group]:
            found = super().groups(items)
            house.listing["tracks"][0]["title"] = "Tone I"
            house.rescan()
            matching.rename(ServerFileIndex(house.client()), [row.item_id])
            return found

    house.listing["tracks"][0]["title"] = "Tone One"
    house.rescan()
    matching.rename(Slow(house.client()), [row.item_id])
    renaming.step()

    assert house.row("Tone I").file_path == f"{FOLDER}/1-01 - Tone I.flac"


def test_only_what_has_another_title_is_renamed(house: MovingHouse, renaming: FileRenaming) -> None:
    files = house.files()
    house.rescan(media_root="/mnt/other")
    house.look()

    renaming.step()

    assert house.files() == files


def test_a_device_that_is_paused_is_left_alone_until_it_is_not(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    files = house.files()
    retag(house)
    house.services.devices.settings.change(STICK, {"paused": True})

    renaming.step()
    assert house.files() == files
    house.services.devices.settings.change(STICK, {"paused": False})
    renaming.step()

    assert house.files() != files


def written(house: MovingHouse) -> None:
    """Let the playlists and the manifest be written."""
    background = house.services.background
    for _ in range(90):
        house.clock.advance(1)
        background.playlists.step()
        background.index.step()


def test_playlist_and_manifest_follow_a_rename_in_place(
    house: MovingHouse, renaming: FileRenaming
) -> None:
    ann = house.person("ann").user_id
    road = Chosen(playlist_id="1" * 32, title="Road trip")
    house.store.chosen.choose(ann, STICK, road)
    items = house.items()
    house.store.playlist_orders.learn(ann, road.playlist_id, [one.id for one in items])
    written(house)

    def listed() -> list[str]:
        content = (house.stick / "Playlists/Road trip.m3u8").read_bytes()
        return sorted(read_back(content, PRESETS[PresetName.GENERIC]))

    def noted() -> list[str]:
        text = (house.stick / ".sidecar" / "manifest.json").read_text(encoding="utf-8")
        return [one for one in [*before, *house.files()] if json.dumps(one)[1:-1] in text]

    before = house.files()
    assert (listed(), len(before)) == (before, 2)
    retag(house)

    renaming.step()
    written(house)

    after = house.files()
    assert not set(after) & set(before)
    assert listed() == after
    assert noted() == after
    assert house.server.fetched == 0
