from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.device.drives import DevicePlaces, Drive
from sidecar.device.folder import DeviceFolder
from sidecar.device.own.marker import Marker, write_marker
from sidecar.domain.downloads.download import Status
from tests.fakes.clock import FakeClock
from tests.services.conftest import STICK
from tests.web.house import ANN, EVE, Browser, WebHouse, web_house


@pytest.fixture
def folder(quick_path: Path) -> Path:
    """Return a folder on the one drive that is plugged in."""
    drive = quick_path / "media" / "SANDISK"
    drive.mkdir(parents=True)
    return drive


@pytest.fixture
def places(folder: Path) -> DevicePlaces:
    shown = [Drive(folder, "SANDISK", "vfat", 64 * 10**9, 58 * 10**9, can_write=True)]
    roots = (folder.parent, folder.parent.with_name("absent"))
    return DevicePlaces(roots=lambda: roots, drives=lambda: shown)


def add(eve: Browser, folder: Path, **more: object) -> None:
    answer = eve.press("/devices/add", path=str(folder), name="New stick", **more)
    assert answer.status_code == 303, answer.text


def id_of(house: WebHouse, name: str) -> str:
    house.look_at_devices()
    return next(
        one.id for one in house.services.devices.registry.all() if one.settings.name == name
    )


def test_a_drive_offers_itself_and_becomes_a_device(
    house: WebHouse, eve: Browser, ann: Browser, folder: Path
) -> None:
    assert "SANDISK" in eve.get("/devices").text
    assert "was plugged in" in eve.get("/devices").text
    assert "was plugged in" not in ann.get("/devices").text
    # These ask themselves which drive is meant, in the first set-up as a step of it.
    for page in ("/devices/add?first=yes", "/alerts?next=/devices/add", "/settings/first-rules"):
        assert "was plugged in" not in eve.get(page).text
    assert "FAT32" in eve.get("/devices/add").text
    assert 'value="SANDISK"' in eve.get(f"/devices/add?path={folder}").text

    add(eve, folder, preset="car", budget="10 GB", users="ann")

    # It is not called missing before anybody has looked, and one goes on where it is watched.
    home = eve.get("/?outcome=added").text
    assert "The device is added." in home
    assert "Being set up" in home
    assert "is not there" not in home + eve.get("/devices").text
    device_id = id_of(house, "New stick")
    now = house.services.devices.registry.get(device_id).settings
    assert (now.preset, now.budget, now.users) == ("car", 10 * 10**9, ("ann",))
    assert (folder / ".sidecar" / "device.json").exists()
    assert "was plugged in" not in eve.get("/devices").text
    assert "New stick" in ann.get("/devices").text


def test_a_drive_that_another_sidecar_has_filled_says_so(
    house: WebHouse, eve: Browser, folder: Path
) -> None:
    told = "Another sidecar has filled it, as Friend"
    assert told not in eve.get(f"/devices/add?path={folder}").text
    write_marker(folder, Marker("99999999-9999-4999-8999-999999999999", "Friend's stick"))

    assert told in eve.get(f"/devices/add?path={folder}").text

    add(eve, folder)
    id_of(house, "New stick")
    assert told not in eve.get(f"/devices/add?path={folder}").text


def test_a_drive_or_folder_that_cannot_be_written_says_what_to_do(
    quick_path: Path, clock: FakeClock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [Drive(folder, "LOCKED", "vfat", 64 * 10**9, 58 * 10**9, can_write=False)]
    places = DevicePlaces(roots=lambda: (folder.parent,), drives=lambda: shown)
    with web_house(quick_path, clock, places=places) as house:
        eve = house.come_in(EVE)
        writable = eve.get(f"/devices/add?browse={folder}").text
        # Root may write everywhere.
        monkeypatch.setattr(os, "access", lambda *_asked: False)
        locked = eve.get(f"/devices/add?browse={folder}").text
        refused = eve.press("/devices/add", path=str(folder), name="New stick")

    assert f"path={folder}" not in locked
    assert 'href="/help/install#as-a-service"' in locked
    way_out = "choose another one, or let the user that the sidecar runs as write there"
    assert way_out not in writable
    assert way_out in locked
    assert refused.status_code == 422
    assert way_out in refused.text


@pytest.mark.parametrize("fixed", [True, False])
def test_what_is_on_a_disk_that_nobody_takes_out_is_not_said_to_be_ejected(
    quick_path: Path, clock: FakeClock, *, fixed: bool
) -> None:
    places = DevicePlaces(drives=list, is_built_in=lambda _folder: fixed)
    with web_house(quick_path, clock, places=places) as house:
        eve = house.come_in(EVE)
        before = eve.get("/").text + eve.get("/devices").text
        # Whoever stops using it may go on.
        eve.press(f"/devices/{STICK}/unplug")
        after = eve.get("/").text, eve.get("/devices").text

    assert ("Eject it before" in before) is not fixed
    assert (">Eject<" in before) is not fixed
    assert all(">Reconnect<" in one for one in after)


@pytest.mark.parametrize("fixed", [True, False])
def test_an_empty_mount_point_is_said_to_be_on_the_disk_of_the_machine(
    quick_path: Path, clock: FakeClock, folder: Path, *, fixed: bool
) -> None:
    places = DevicePlaces(
        roots=lambda: (folder.parent,),
        drives=list,
        is_built_in=lambda _folder: fixed,
        mounts=(folder.parent,),
    )
    with web_house(quick_path, clock, places=places) as house:
        eve = house.come_in(EVE)
        form = eve.get(f"/devices/add?path={folder}").text
        above = eve.get(f"/devices/add?path={folder.parent}").text

    assert ("No drive is mounted here" in form) is fixed
    assert "No drive is mounted here" not in above


def test_the_form_says_how_large_the_drive_is(eve: Browser, folder: Path) -> None:
    (folder / "Music").mkdir()

    for chosen in (folder, folder / "Music"):
        assert "64.0 GB, 58.0 GB free, FAT32" in eve.get(f"/devices/add?path={chosen}").text
    elsewhere = eve.get(f"/devices/add?path={folder.parent}").text
    assert re.search(r"\d[\d.,]* .B, \d[\d.,]* .B free<", elsewhere)


def test_two_drives_of_one_name_are_told_apart(
    quick_path: Path, clock: FakeClock, folder: Path
) -> None:
    other = folder.parent / "ben" / "SANDISK"
    other.mkdir(parents=True)
    shown = [
        Drive(one, "SANDISK", "vfat", 64 * 10**9, 58 * 10**9, can_write=True)
        for one in (folder, other)
    ]
    places = DevicePlaces(roots=lambda: (folder.parent,), drives=lambda: shown)
    with web_house(quick_path, clock, places=places) as house:
        eve = house.come_in(EVE)
        for page in ("/devices", "/devices/add"):
            text = eve.get(page).text
            assert f"<bdi>{folder}</bdi>" in text
            assert f"<bdi>{other}</bdi>" in text

        assert eve.press("/devices/add", path=str(folder), name="SANDISK").status_code == 303

        for page in ("/devices", "/devices/add"):
            assert f"<bdi>{other}</bdi>" not in eve.get(page).text.partition("</section>")[0]
        assert 'value="SANDISK 2"' in eve.get(f"/devices/add?path={other}").text


def test_folders_are_browsed_only_below_the_roots(eve: Browser, folder: Path) -> None:
    (folder / "Music").mkdir()

    page = eve.get(f"/devices/add?browse={folder}").text

    assert "Music" in page
    assert "Use this folder" in page
    for outside in ("/etc", f"{folder}/../../..", "etc"):
        assert "choose one of those shown" in eve.get(f"/devices/add?browse={outside}").text


def test_a_new_folder_becomes_a_device(house: WebHouse, eve: Browser, folder: Path) -> None:
    assert "New folder" in eve.get(f"/devices/add?browse={folder}").text

    made = eve.press("/devices/add/folder", browse=str(folder), folder=" For Ann ", first="yes")

    assert made.status_code == 303
    assert (folder / "For Ann").is_dir()
    assert 'value="For Ann"' in eve.get(made.location).text
    assert "first=yes" in made.location
    add(eve, folder / "For Ann")
    assert id_of(house, "New stick")


@pytest.mark.parametrize(
    ("above", "name", "said"),
    [
        ("", "", "without / that begins with no dot"),
        ("", "a/b", "without / that begins with no dot"),
        ("", ".hidden", "without / that begins with no dot"),
        ("", "taken", "taken cannot be made: File exists"),
        ("../..", "a", "choose one of those shown"),
        ("taken", "a", "choose one of those shown"),
    ],
)
def test_a_folder_that_cannot_be_made_is_said_and_its_name_stays(
    eve: Browser, folder: Path, above: str, name: str, said: str
) -> None:
    (folder / "taken").touch()
    before = sorted(folder.parent.parent.rglob("*"))

    answer = eve.press("/devices/add/folder", browse=str(folder.joinpath(above)), folder=name)

    assert answer.status_code == 422
    assert said in answer.text
    assert above or f'name="folder" value="{name}"' in answer.text
    assert sorted(folder.parent.parent.rglob("*")) == before


def test_no_device_is_in_another_one_or_around_it(eve: Browser, folder: Path) -> None:
    (folder / "music").mkdir()
    add(eve, folder)

    for path, said in (
        (folder, "This is New stick, which is a device already"),
        (folder.parent, "New stick is in this folder: choose another one"),
        (folder / "music", "This folder is in New stick: choose another one"),
    ):
        answer = eve.press("/devices/add", path=str(path), name="Another")
        assert answer.status_code == 422
        assert said in answer.text
    assert "Another" not in eve.get("/devices").text


def test_the_data_folder_and_hidden_ones_are_not_offered(
    quick_path: Path, clock: FakeClock
) -> None:
    hidden = quick_path / ".ssh" / "keys"
    hidden.mkdir(parents=True)
    places = DevicePlaces(roots=lambda: (quick_path,), drives=list)
    with web_house(quick_path, clock, places=places) as house:
        data, eve = quick_path / "data", house.come_in(EVE)
        (data / "covers").mkdir()

        assert f"browse={data}" not in eve.get(f"/devices/add?browse={quick_path}").text
        for refused in (data, data / "covers", hidden, hidden.parent):
            shown = eve.get(f"/devices/add?browse={refused}").text
            assert "choose one of those shown" in shown, refused
            answer = eve.press("/devices/add", path=str(refused), name="New stick")
            assert answer.status_code == 422, refused
        assert "New stick" not in eve.get("/devices").text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": " "}, "Give the device a name"),
        ({"path": "/etc"}, "choose one of those shown"),
        ({"budget": "10 elephants"}, "Enter a size such as 10 GB"),
        ({"budget": "5 TB"}, "more than the 64.0 GB of the drive"),
        ({"name": "car stick"}, "Another device has this name"),
        ({"preset": "gramophone"}, '<div class="setting is-wrong">\n    <label for="preset">'),
    ],
)
def test_what_is_wrong_with_a_new_device_is_said_and_nothing_is_added(
    house: WebHouse, eve: Browser, folder: Path, given: dict[str, str], said: str
) -> None:
    answer = eve.press("/devices/add", **({"path": str(folder), "name": "New stick"} | given))

    assert answer.status_code == 422
    assert said in answer.text
    assert len(house.services.configuration.now().devices) == 1
    assert not (folder / ".sidecar").exists()


def test_a_device_gets_another_name_and_other_users(
    house: WebHouse, eve: Browser, ben: Browser, folder: Path
) -> None:
    add(eve, folder)
    device_id = id_of(house, "New stick")
    assert "New stick" in ben.get("/devices").text

    eve.press("/devices/edit", device=device_id, name="Car", users=["ann"], managers=["ann"])

    assert id_of(house, "Car") == device_id
    assert "New stick" not in eve.get("/devices").text
    assert "Car<" not in ben.get("/devices").text.replace("Car stick<", "")


def test_a_device_is_removed_and_its_files_stay(
    house: WebHouse, eve: Browser, folder: Path
) -> None:
    add(eve, folder)
    device_id = id_of(house, "New stick")
    kept = house.add(7, status=Status.COMPLETED, device=device_id)
    path = house.path(kept)

    asked = eve.press("/devices/forget", device=device_id, files="keep")
    assert "1 file" in asked.text
    assert house.now(kept)
    eve.press("/devices/forget", device=device_id, files="keep", sure="yes")

    house.look_at_devices()
    assert path.exists()
    assert house.store.downloads.queries.get(kept.id) is None
    assert house.store.devices.get(device_id) is None
    assert "New stick" not in eve.get("/devices").text
    assert [one.id for one in house.services.devices.registry.all()] == [STICK]


def test_a_device_is_removed_with_its_files_and_nothing_else(
    house: WebHouse, eve: Browser, folder: Path
) -> None:
    add(eve, folder)
    device_id = id_of(house, "New stick")
    ours = house.path(house.add(7, status=Status.COMPLETED, device=device_id))
    elsewhere = house.path(house.add(8, status=Status.COMPLETED))
    strangers = folder / "Mine.mp3"
    strangers.write_bytes(b"mine")

    asked = eve.press("/devices/forget", device=device_id, files="delete")
    assert "Delete 1 file and remove" in asked.text
    eve.press("/devices/forget", device=device_id, files="delete", sure="yes")

    assert not ours.exists()
    assert strangers.exists()
    assert elsewhere.exists()
    assert house.store.devices.get(device_id) is None


def test_nothing_comes_to_a_device_while_its_files_are_deleted(
    house: WebHouse, eve: Browser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(eve, folder)
    device_id = id_of(house, "New stick")
    house.add(7, status=Status.COMPLETED, device=device_id)
    house.add(8, device=device_id)
    remove, taken = DeviceFolder.remove, list[object]()

    def remove_late(folder: DeviceFolder, path: str, **known: object) -> bool:
        # Workers look for something to do all the time.
        taken.append(house.services.transfers.taking.take())
        return remove(folder, path, **known)  # type: ignore[arg-type]  # as they were given

    monkeypatch.setattr(DeviceFolder, "remove", remove_late)
    eve.press("/devices/forget", device=device_id, files="delete", sure="yes")

    assert taken == [None]
    assert house.store.devices.get(device_id) is None
    assert house.services.devices.registry.blocked() == set()


def test_devices_that_are_added_at_the_same_moment_are_both_there(
    quick_path: Path, clock: FakeClock
) -> None:
    media = quick_path / "media"
    paths = {name: media / name for name in ("First", "Second")}
    for path in paths.values():
        path.mkdir(parents=True)
    meanwhile: list[str] = []

    def look_at_drives() -> list[Drive]:
        # The last that is looked at before a device is stored.
        if meanwhile:
            add_one(meanwhile.pop())
        return []

    def add_one(name: str) -> str:
        return editor.add({"name": name, "path": str(paths[name])}).name

    places = DevicePlaces(roots=lambda: (media,), drives=look_at_drives)
    with web_house(quick_path, clock, places=places) as house:
        editor = house.services.web.device_editor
        meanwhile.append("Second")

        assert add_one("First") == "First"
        assert {"First", "Second"} <= {*house.services.devices.registry.names()}


def test_of_a_device_without_files_none_are_deleted(
    house: WebHouse, eve: Browser, folder: Path
) -> None:
    add(eve, folder)
    device_id = id_of(house, "New stick")

    page = eve.get(f"/devices/edit?device={device_id}").text
    asked = eve.press("/devices/forget", device=device_id, files="delete").text
    eve.press("/devices/forget", device=device_id, files="delete", sure="yes")

    assert "No download is on it." in page
    assert page.count(">Remove the device<") == asked.count(">Remove the device<") == 1
    assert "Remove and delete" not in page
    assert not re.search(r"\b0 (files|downloads|bytes|B)\b", page + asked)
    assert house.store.devices.get(device_id) is None


def test_a_device_that_was_plugged_in_at_another_place_goes_on_there(
    quick_path: Path, clock: FakeClock, folder: Path
) -> None:
    shown = [Drive(folder, "SANDISK", "vfat", 64 * 10**9, 58 * 10**9, can_write=True)]
    places = DevicePlaces(roots=lambda: (quick_path / "media",), drives=lambda: shown)
    with web_house(quick_path, clock, places=places) as house:
        eve, ann = house.come_in(EVE), house.come_in(ANN)
        add(eve, folder)
        device_id = id_of(house, "New stick")
        kept = house.add(7, status=Status.COMPLETED, device=device_id)
        elsewhere = folder.parent / "ben" / "SANDISK"
        elsewhere.parent.mkdir()
        folder.rename(elsewhere)
        folder.mkdir()
        shown[0] = replace(shown[0], path=elsewhere)
        house.look_at_devices()

        page = eve.get("/devices").text
        assert "New stick is not there: plug it in. If it is plugged in" in page
        assert f"was plugged in at another place, <bdi>{elsewhere}</bdi>: use it there?" in page
        assert "use it as a device?" not in page
        assert "at another place" not in ann.get("/devices").text
        assert "plug it in" not in eve.get("/alerts").text
        assert "plug it in" in ann.get("/alerts").text
        again = eve.press("/devices/add", path=str(elsewhere), name="Second")
        assert again.status_code == 422
        assert "This is New stick, which is a device already" in again.text

        assert eve.press("/devices/move", device=device_id).status_code == 303
        house.look_at_devices()

        assert house.services.devices.registry.get(device_id).settings.path == elsewhere
        assert house.path(kept).is_relative_to(elsewhere)
        assert house.path(kept).exists()
        assert "at another place" not in eve.get("/devices").text
        assert eve.press("/devices/move", device=device_id).status_code == 404


def test_a_device_in_a_folder_of_a_drive_is_found_at_its_other_place(
    quick_path: Path, clock: FakeClock, folder: Path
) -> None:
    shown = [Drive(folder, "SANDISK", "vfat", 64 * 10**9, 58 * 10**9, can_write=True)]
    places = DevicePlaces(roots=lambda: (quick_path / "media",), drives=lambda: shown)
    with web_house(quick_path, clock, places=places) as house:
        eve = house.come_in(EVE)
        (folder / "Music").mkdir()
        add(eve, folder / "Music")
        device_id = id_of(house, "New stick")
        elsewhere = folder.parent / "ben" / "SANDISK"
        elsewhere.parent.mkdir()
        folder.rename(elsewhere)
        shown[0] = replace(shown[0], path=elsewhere)
        # Neither a link nor what is deeper is followed.
        (elsewhere / "A link").symlink_to(elsewhere / "Music")
        house.look_at_devices()

        page = eve.get("/devices").text
        assert f"at another place, <bdi>{elsewhere / 'Music'}</bdi>: use it there?" in page
        assert "use it as a device?" not in page
        assert eve.press("/devices/move", device=device_id).status_code == 303
        house.look_at_devices()

        there = house.services.devices.registry.get(device_id).settings.path
        assert there == elsewhere / "Music"


def test_a_device_of_the_settings_file_at_another_place_says_where_its_path_is(
    quick_path: Path, clock: FakeClock, folder: Path
) -> None:
    shown = [Drive(folder, "SANDISK", "vfat", 64 * 10**9, 58 * 10**9, can_write=True)]
    places = DevicePlaces(roots=lambda: (folder.parent,), drives=lambda: shown)
    with web_house(quick_path, clock, places=places) as house:
        folder.rmdir()
        house.folder.rename(folder)
        house.look_at_devices()
        eve = house.come_in(EVE)

        page = eve.get("/devices").text

        assert "its path in the settings file is another one." in page
        assert f'href="/devices/edit?device={STICK}"' in page
        assert eve.press("/devices/move", device=STICK).status_code == 404


def test_a_device_of_the_settings_file_is_changed_there(house: WebHouse, eve: Browser) -> None:
    def shown(file: Path | None, *from_environment: str) -> str:
        house.services.configuration.base.note_sources(file, frozenset(from_environment))
        return eve.get(f"/devices/edit?device={STICK}").text

    page = shown(Path("/etc/sidecar/config.toml"))
    assert "<strong>/etc/sidecar/config.toml</strong></bdi>: change it there" in page
    assert str(house.folder) in page
    assert f'href="/devices/{STICK}"' in page
    assert "environment variable SIDECAR_DEVICES" in shown(Path("/etc/x"), "devices", "server.port")
    assert "without a settings file" in shown(None)
    for path, form in (
        ("/devices/edit", {"name": "Other"}),
        ("/devices/forget", {"files": "delete", "sure": "yes"}),
    ):
        answer = eve.press(path, device=STICK, **form)
        assert answer.status_code == 422
        assert "is in the settings file" in answer.text
    assert house.store.devices.get(STICK) is not None


def test_a_device_that_is_not_in_use_any_more_is_forgotten(
    house: WebHouse, eve: Browser, folder: Path
) -> None:
    add(eve, folder)
    device_id = id_of(house, "New stick")
    house.add(7, status=Status.COMPLETED, device=device_id)
    house.services.configuration.save({"devices": None})

    assert "Not in use any more" in eve.get("/devices").text
    eve.press("/devices/forget", device=device_id, files="keep", sure="yes")

    assert "Not in use any more" not in eve.get("/devices").text
    assert "New stick" not in eve.get("/downloads?status=completed").text
